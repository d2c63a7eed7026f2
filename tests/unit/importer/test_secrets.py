"""No value of a secret gets into a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from airbyte_model.specifications import Specification

from lotus_infra.importer.secrets import ConfigurationOwner, SecretNames, replace_secrets
from lotus_infra.importer.terraform_public import connector_configuration
from lotus_infra.lake.discovered import Connector
from tests.support.lakes import OWN_STREAMS
from tests.support.terraform import SHOP, TYPED_SHOP

OWNER = ConfigurationOwner("shopify", "shopify/_source.json")
MASK = "*" * 10


def pinned(name: str) -> Connector:
    return Connector.model_validate_json((Path(OWN_STREAMS) / "_connectors" / f"{name}.json").read_bytes())


def without_secrets(configuration: dict[str, Any], spec: Specification | None = None) -> Any:
    return replace_secrets(configuration, OWNER, SecretNames(), spec)


def test_secrets_of_the_specification_become_references() -> None:
    made = without_secrets(SHOP, Specification(pinned("source-shopify").spec))

    assert made.configuration["credentials"] == {
        "auth_method": "api_password",
        "api_password": {"$secret": "shopify_api_password"},
    }
    assert [(each.name, each.place) for each in made.secrets] == [
        ("shopify_api_password", "configuration.credentials.api_password")
    ]
    assert made.configuration["shop"] == "a-store"


def test_a_mask_is_a_secret_and_the_name_of_a_stored_secret_is_none() -> None:
    made = without_secrets({"token": MASK, "url": f"redis://:{MASK}@host", "vault": "secret_coordinate::x_v1"})

    assert made.configuration == {
        "token": {"$secret": "shopify_token"},
        "url": {"$secret": "shopify_url"},
        "vault": "secret_coordinate::x_v1",
    }
    assert [each.reason for each in made.secrets] == ["masked", "masked"]


@pytest.mark.parametrize(
    "configuration",
    [
        {"password": "hidden"},
        {"credentials": {"refresh_token": "hidden"}},
        {"apiKey": "hidden"},
        {"service_account_json": "hidden"},
        {"url": "postgres://user:hidden@host/db"},
        {"text": "-----BEGIN PRIVATE KEY-----hidden"},
        {"accounts": [{"name": "a", "secret": "hidden"}]},
    ],
)
def test_without_a_specification_values_that_look_secret_are_secrets(configuration: dict[str, Any]) -> None:
    assert "hidden" not in json.dumps(without_secrets(configuration).configuration)


def test_without_a_specification_constants_of_branches_stay() -> None:
    plain = {"auth_type": "oauth2.0", "token_url": "https://a.example/token", "start_date": "2025-01-01", "port": 3306}

    assert without_secrets(plain).configuration == plain


def test_a_key_outside_the_specification_is_guessed() -> None:
    made = without_secrets({**SHOP, "extra": {"token": "hidden"}}, Specification(pinned("source-shopify").spec))

    assert "hidden" not in json.dumps(made.configuration)


def test_secrets_of_one_key_get_names_with_more_of_their_path() -> None:
    made = without_secrets({"tunnel": {"password": "a"}, "password": "b", "other": {"password": "c"}})

    assert [each.name for each in made.secrets] == ["shopify_password", "shopify_password_2", "shopify_other_password"]


def test_a_typed_configuration_becomes_the_connectors_own() -> None:
    assert connector_configuration(TYPED_SHOP, pinned("source-shopify").spec) == SHOP


def test_properties_that_a_typed_resource_does_not_know_are_kept() -> None:
    typed = {**TYPED_SHOP, "additional_properties": json.dumps({"pat": "hidden"})}
    converted: Any = connector_configuration(typed, pinned("source-shopify").spec)
    assert converted == {**SHOP, "pat": "hidden"}
    made = without_secrets(converted, Specification(pinned("source-shopify").spec))
    assert made.configuration["pat"] == {"$secret": "shopify_pat"}
    assert connector_configuration({**TYPED_SHOP, "additional_properties": "{"}, pinned("source-shopify").spec) is None


def test_an_ambiguous_choice_is_not_guessed() -> None:
    other: dict[str, Any] = {"credentials": {"other": {"thing": 1}}}
    assert connector_configuration(other, pinned("source-shopify").spec) is None
    assert connector_configuration({"anything": {"branch": {"a": 1}}}, pinned("source-shopify").spec) is None
