"""The model of a stack's configuration beside the packages whose keys it lists, and its page."""

import re
from importlib import resources
from pathlib import Path

import pulumi_kubernetes
import pytest
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG

from lotus_infra.config.provider_keys import AirbyteKeys, AwsKeys, KubernetesKeys
from lotus_infra.config.section import known_keys
from lotus_infra.config.settings import LotusKeys, parse
from lotus_infra.config.stack_files import Encrypted, Value
from lotus_infra.lake.references import Reference

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = (REPOSITORY / "docs" / "stack-configuration.md").read_text(encoding="utf-8")


def test_the_keys_of_the_providers_are_those_of_their_packages() -> None:
    # Importing pulumi_aws takes seconds; its stub has the names.
    stub = (resources.files("pulumi_aws") / "config" / "__init__.pyi").read_text(encoding="utf-8")
    kubernetes = Path(pulumi_kubernetes.__file__ or "").with_name("provider.py").read_text(encoding="utf-8")
    arguments = kubernetes[kubernetes.index("class ProviderArgs") : kubernetes.index("class Provider(")]
    named = re.findall(r'@pulumi.getter(?:\(name="(\w+)"\))?\n    def (\w+)\(', arguments)

    assert known_keys(AirbyteKeys) == {field.name for field in PROVIDER_CONFIG}
    assert known_keys(AwsKeys) == set(re.findall(r"^(\w+): ", stub, re.MULTILINE))
    assert known_keys(KubernetesKeys) == {alias or name for alias, name in named}


def test_the_page_lists_every_fixed_key() -> None:
    assert {f"`lotus:{key}`" for key in known_keys(LotusKeys)} <= set(re.findall(r"`lotus:\w+`", PAGE))


SECRET = "a-marker-that-must-not-be-shown"


@pytest.mark.parametrize(
    "key",
    [
        *(f"lotus:{name}" for name in ("s3_access_key_id", "s3_secret_access_key", "dagster_db_password")),
        *(f"airbyte:{name}" for name in ("clientSecret", "password", "bearerAuth")),
    ],
)
def test_a_secret_in_plain_text_is_hidden_in_the_model(key: str) -> None:
    settings = parse("prod", {key: SECRET}, {}).settings

    assert settings is not None
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


ZONE: dict[str, Value] = {"server": "aws", "region": "eu", "landing": "one", "backup": "two"}
WRONG: list[dict[str, Value]] = [
    {"lotus:shopify_key": SECRET},
    {"lotus:dagster_db_password": SECRET[:8]},
    {"airbyte:serverUrl": SECRET},
    {"lotus:s3_access_key_id": [SECRET]},
    {"lotus:production": SECRET},
    {"lotus:workspaceId": SECRET},
]


@pytest.mark.parametrize("values", WRONG, ids=lambda values: next(iter(values)))
def test_a_mistake_never_shows_the_value(values: dict[str, Value]) -> None:
    mistakes = parse("prod", values, {}).mistakes

    assert mistakes != ()
    assert SECRET[:8] not in " ".join(map(str, mistakes))


def test_values_and_their_texts_from_the_engine_make_the_same_settings() -> None:
    zone: dict[str, Value] = {"server": "aws", "region": "eu", "landing": "one", "backup": "two", "protect": False}
    file: dict[str, Value] = {
        "lotus:production": True,
        "lotus:acknowledge": ["source a"],
        "lotus:landingZone": zone,
        "lotus:workers": 4,
        "lotus:key": Encrypted(),
    }
    engine: dict[str, Value] = {
        "lotus:production": "true",
        "lotus:acknowledge": '["source a"]',
        "lotus:landingZone": '{"server":"aws","region":"eu","landing":"one","backup":"two","protect":false}',
        "lotus:workers": "4",
        "lotus:key": "the-decrypted-key",
    }
    names = {
        "workers": frozenset({Reference("workers", secret=False, type="integer")}),
        "key": frozenset({Reference("key", secret=True)}),
    }

    read = parse("prod", file, names)
    given = parse("prod", engine, names, ["lotus:key"])

    assert read.settings is not None
    assert read.settings == given.settings
    assert read.settings.values == {"workers": "4"}
    assert read.names.encrypted == {"key"}


@pytest.mark.parametrize(
    ("values", "protected"),
    [
        ({}, False),
        ({"lotus:production": True}, True),
        ({"lotus:production": True, "lotus:protectSources": "false"}, False),
        ({"lotus:landingZone": ZONE}, True),
        ({"lotus:landingZone": ZONE | {"protect": False}}, False),
        ({"lotus:landingZone": ZONE | {"protect": False}, "lotus:production": True}, True),
        ({"lotus:landingZone": ZONE | {"protect": False}, "lotus:dagster": {"deploy": False}}, False),
    ],
)
def test_sources_are_protected_by_default_if_anything_else_is_or_the_stack_is_production(
    values: dict[str, Value],
    protected: bool,  # noqa: FBT001
) -> None:
    settings = parse("prod", values, {}).settings

    assert settings is not None
    assert settings.lotus.protects_sources is protected


@pytest.mark.parametrize("name", ["prodution", "acknowlege", "dagsterr", "protectSource", "ducklake_db_pasword"])
def test_a_misspelt_setting_is_refused_where_the_lakes_names_are_unknown(name: str) -> None:
    assert len(parse("prod", {f"lotus:{name}": "true"}, None).mistakes) == 1
    assert parse("prod", {"lotus:shopify_key": "x", "lotus:landing_bucket": "y"}, None).mistakes == ()
