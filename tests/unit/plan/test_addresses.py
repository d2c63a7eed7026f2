"""Where sources and destinations point, and the changes of it that close the gate: previews in, decisions out."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lotus_infra.lake.loader import load_lake
from lotus_infra.naming import LOSS_LABEL
from lotus_infra.plan.addresses import Files, Target, mask, targets
from lotus_infra.plan.analysis import impact_of, main_steps
from lotus_infra.plan.gate import Gate, gate
from lotus_infra.plan.preview import read_preview
from tests.support.lakes import OWN_STREAMS
from tests.support.previews import (
    CONNECTION,
    DESTINATION,
    KLAVIYO,
    S3,
    SHOPIFY,
    SOURCE,
    UNKNOWN,
    Digest,
    Inputs,
    actor,
    connection,
)

FILES = Files(load_lake(OWN_STREAMS).lake, {"$landing bucket": "example-lake-landing"})
POSTGRES = "decd338e-5647-4c0b-adf4-da0e75f5a750"
"""A definition that the lake does not pin."""
IN_EVENTS = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
HIDDEN = pytest.mark.parametrize("hidden", ["[secret]", IN_EVENTS], ids=["in a digest", "in an event"])


def update(old: Any, new: Any, *paths: str, kind: str = SOURCE, name: str = "shopify", **overrides: object) -> Digest:
    """An update of a configuration; without paths, the provider names no difference."""
    digest = Digest()
    before, after = actor(**{"configuration": old} | overrides), actor(**{"configuration": new} | overrides)
    return digest.step("update", kind, name, before, after, *(f"configuration.{path}".rstrip(".") for path in paths))


def judged(digest: Digest, files: Files = FILES, **decision: Any) -> Gate:
    found = impact_of(read_preview(digest.text()), files=files)
    return gate(found, decision.get("agreed", ()), decision.get("labels", ()), LOSS_LABEL)


def blocked(digest: Digest, files: Files = FILES) -> list[str]:
    return [f"{loss.object} {loss.effect}" for loss in judged(digest, files).blocked]


def pointing(digest: Digest, files: Files = FILES) -> Target:
    [target] = targets(main_steps(read_preview(digest.text())), files)
    return target


# What is hidden


@HIDDEN
def test_a_hidden_leaf_that_is_no_credential_closes_the_gate(hidden: Any) -> None:
    old = {"credentials": {"api_password": hidden}, "shop": hidden}

    assert blocked(update(old, old, "shop")) == ["source shopify exposes"]
    assert blocked(update(old | {"shop": "a-store"}, old, "shop")) == ["source shopify exposes"]
    assert blocked(update(old, old | {"shop": "a-store"}, "shop")) == ["source shopify exposes"]


@HIDDEN
def test_a_credential_of_the_pinned_specification_may_change(hidden: Any) -> None:
    password = {"credentials": {"auth_method": "api_password", "api_password": hidden}, "shop": "a-store"}

    assert not blocked(update(password, password, "credentials.api_password"))
    assert not blocked(update(password, password, "credentials"))
    token = {"credentials": {"auth_method": "oauth2.0", "access_token": hidden}, "shop": "a-store"}
    assert not blocked(update(password, token, "credentials"))


@HIDDEN
@pytest.mark.parametrize("path", ["", "shop", "credentials", "hosts[0]"])
def test_a_configuration_that_is_hidden_as_a_whole_closes_the_gate(hidden: Any, path: str) -> None:
    assert blocked(update(hidden, hidden, path)) == ["source shopify exposes"]
    assert blocked(update({"shop": "a"}, hidden, "")) == ["source shopify exposes"]


@HIDDEN
def test_what_is_hidden_and_of_which_no_path_is_given_counts_as_changed(hidden: Any) -> None:
    digest = Digest().step("update", SOURCE, "shopify", actor({"shop": hidden}), actor({"shop": hidden}))
    plain = Digest().step("update", SOURCE, "shopify", actor({"shop": "a"}), actor({"shop": "a"}))

    assert blocked(digest) == ["source shopify exposes"]
    assert not blocked(plain)


@HIDDEN
@pytest.mark.parametrize(
    "key",
    [
        *("password", "api_key", "apiKey", "client_secret", "secretAccessKey", "service_account_key"),
        *("proxy_password", "marketing_api_key", "privateAppAccessToken", "developer_token"),
    ],
)
def test_without_a_pin_only_known_names_are_credentials(hidden: Any, key: str) -> None:
    old = {key: hidden, "host": hidden, "username": hidden, "note": hidden, "sheet_token": hidden}

    assert not blocked(update(old, old, key, definitionId=POSTGRES))
    for other in ("host", "username", "note", "sheet_token"):
        assert blocked(update(old, old, other, definitionId=POSTGRES)) == ["source shopify exposes"]


def test_a_specification_of_the_same_pull_request_makes_no_address_a_credential() -> None:
    lake = load_lake(OWN_STREAMS).lake
    shopify = lake.connectors["source-shopify"]
    assert shopify is not None
    shopify.spec["properties"] = dict(shopify.spec["properties"]) | {  # type: ignore[arg-type]
        key: {"type": "string", "airbyte_secret": True}
        for key in ("shop", "api_url", "accountId", "storage_account_key")
    }
    for key, expected in {"shop": 1, "api_url": 1, "accountId": 1, "storage_account_key": 0}.items():
        old = {key: "[secret]"}
        assert len(blocked(update(old, old, key), Files(lake))) == expected, key


# What is visible

SHOP: Inputs = {"shop": "a-store", "start_date": "2025-12-25", "lookback_window_in_days": 0}
DATABASE: Inputs = {
    "host": "db.example.com",
    "hosts": ["a", "b"],
    "port": 5432,
    "ssl": False,
    "replication_method": {"method": "Standard"},
    "tunnel_method": {"tunnel_method": "NO_TUNNEL"},
    "account_id": 12,
    "format": "csv",
    "since": "2025-01-01T00:00:00Z",
    "batch_size": 10,
}
ELSEWHERE: Mapping[str, Inputs] = {
    "another host": {"host": "db.example.net"},
    "another port": {"port": 5433},
    "another list": {"hosts": ["a", "c"]},
    "a list in another order": {"hosts": ["b", "a"]},
    "a longer list": {"hosts": ["a", "b", "c"]},
    "an empty list": {"hosts": []},
    "a host that is removed": {"host": None},
    "a key that is added": {"subdomain": "evil"},
    "a key that names nothing known": {"flux_capacitor": "evil.example.net"},
    "another account": {"account_id": 13},
    "another option of a choice": {"tunnel_method": {"tunnel_method": "SSH", "tunnel_host": "jump.example.net"}},
    "an object in place of a text": {"host": {"name": "db.example.com"}},
    "a URL in place of a setting": {"format": "https://example.net/x"},
    "a value that only the update knows": {"host": UNKNOWN},
    "a number in place of a text": {"host": 1},
    "the same text, but for its case": {"host": "DB.example.com"},
}
IN_PLACE: Mapping[str, Inputs] = {
    "a switch": {"ssl": True},
    "a date": {"since": "2025-02-01T00:00:00Z"},
    "a number": {"batch_size": 11},
    "a format": {"format": "parquet"},
    "a choice": {"replication_method": {"method": "CDC"}},
}


@pytest.mark.parametrize("what", ELSEWHERE)
@pytest.mark.parametrize("detail", [True, False], ids=["with its key", "as a whole"])
def test_an_address_that_changes_closes_the_gate(what: str, detail: bool) -> None:  # noqa: FBT001
    new = {key: value for key, value in {**DATABASE, **ELSEWHERE[what]}.items() if value is not None}
    paths = [*ELSEWHERE[what]] if detail else [""]

    assert blocked(update(DATABASE, new, *paths, definitionId=POSTGRES)) == ["source shopify exposes"]
    moved = update(DATABASE, new, *paths, kind=DESTINATION, name="s3", definitionId=POSTGRES)
    assert blocked(moved) == ["destination s3 exposes"]


@pytest.mark.parametrize("what", IN_PLACE)
def test_a_plain_setting_may_change(what: str) -> None:
    assert not blocked(update(DATABASE, {**DATABASE, **IN_PLACE[what]}, *IN_PLACE[what], definitionId=POSTGRES))


def test_the_loss_names_the_place_and_is_accepted_by_its_object_or_by_the_label() -> None:
    digest = update({"shop": "a-store"}, {"shop": "b-store"}, "shop")

    [loss] = judged(digest).blocked
    assert loss.what == (
        "may point to another place: shop: a-store → b-store; if so, "
        "its secrets are sent there, and its cursors were made at the old one"
    )
    assert judged(digest, agreed=["source shopify"]).ok
    assert judged(digest, labels=[LOSS_LABEL]).ok


@pytest.mark.parametrize("op", ["update", "replace"])
def test_another_connector_closes_the_gate(op: str) -> None:
    digest = Digest().step(op, SOURCE, "shopify", actor(), actor(definitionId=KLAVIYO), "definitionId")

    [loss] = judged(digest).blocked
    assert "connector: source-shopify 4.3.0 → source-klaviyo 2.13.1" in loss.what


def test_the_same_definition_in_capitals_is_no_other_connector() -> None:
    digest = Digest().step("update", SOURCE, "shopify", actor(), actor(definitionId=SHOPIFY.upper()), "name")

    assert not blocked(digest)


KEYS = st.sampled_from(["host", "shop", "password", "format", "note", "ids", "options", "0", "é"])
LEAVES = (
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "b", "2025-01-01", "[secret]", UNKNOWN])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=5
)
CONFIGURATIONS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


@given(CONFIGURATIONS, CONFIGURATIONS, st.sampled_from([SHOPIFY, POSTGRES]), st.booleans())
def test_no_change_of_a_configuration_is_safe_or_left_out(
    old: dict[str, Any],
    new: dict[str, Any],
    definition: str,
    detail: bool,  # noqa: FBT001
) -> None:
    assume(old != new)
    changed = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    assume(changed)
    preview = read_preview(update(old, new, *(changed if detail else [""]), definitionId=definition).text())

    impact = impact_of(preview, files=FILES)

    assert impact.verdict in {"exposes", "touches data", "look"}
    [source] = impact.sources
    [target] = targets(main_steps(preview), FILES)
    shown = {each.name for each in source.details.settings} | set(source.details.secrets)
    shown |= {each.value.name for each in target.addresses if each.changed}
    for key in changed:
        assert any(f"{name}.".startswith(f"configuration.{key}.") for name in shown), (key, shown)


# Connections


def moved(old: str, new: str, op: str = "replace") -> Digest:
    return Digest().step(
        op, CONNECTION, "shopify", connection(destinationId=old), connection(destinationId=new), "destinationId"
    )


def place(op: str, name: str, old: bool = True) -> Digest:  # noqa: FBT001
    return Digest().step(op, DESTINATION, name, actor(definitionId=S3) if old else None, actor(definitionId=S3), "name")


def test_a_connection_that_moves_to_another_destination_closes_the_gate() -> None:
    assert blocked(moved("destination-a", "destination-b")) == ["connection shopify exposes"]
    assert not blocked(moved("destination-a", "destination-a"))


def test_a_connection_stays_where_its_destination_is_replaced() -> None:
    digest = moved("destination-s3", UNKNOWN)
    digest.steps += place("replace", "s3").steps

    assert not blocked(digest)
    assert not blocked(digest, Files())


def test_a_connection_moves_if_its_new_destination_is_unknown() -> None:
    """Without the lake's files, a destination that the preview creates may be meant, beside one that it replaces."""
    digest = moved("destination-s3", UNKNOWN)
    assert blocked(digest) == ["connection shopify exposes"]
    digest.steps += place("replace", "s3").steps + place("create", "other", old=False).steps
    assert not blocked(digest)
    assert blocked(digest, Files()) == ["connection shopify exposes"]
    other = moved("destination-archive", UNKNOWN)
    other.steps += place("replace", "archive").steps
    assert blocked(other) == ["connection shopify exposes"]


# What the comment says


def test_an_added_source_has_its_addresses_its_settings_and_its_secrets_with_their_readers() -> None:
    configuration = {"api_key": "[secret]", "num_workers": 10, "url": "https://me:pw@x.example.com/?a=b", "note": "x"}
    digest = Digest().step("create", SOURCE, "klaviyo", None, actor(configuration, definitionId=KLAVIYO))

    target = pointing(digest)

    assert target.connector is not None
    assert (target.added, target.connector.after) == (True, "source-klaviyo 2.13.1")
    assert [(each.value.name, each.value.after) for each in target.addresses] == [
        ("configuration.note", "x"),
        ("configuration.url", "https://***@x.example.com/?a=***"),
    ]
    assert [each.name for each in target.settings] == ["configuration.num_workers"]
    assert [(each.name, each.path, each.readers) for each in target.secrets] == [("klaviyo_api_key", "api_key", ())]


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=9) | st.integers() | st.lists(st.booleans())))
def test_no_leaf_of_an_added_source_is_left_out(configuration: dict[str, Any]) -> None:
    digest = Digest().step("create", SOURCE, "shopify", None, actor(configuration or {"a": 1}, definitionId=POSTGRES))

    target = pointing(digest)

    named = {each.value.name for each in target.addresses} | {each.name for each in target.settings}
    named |= {f"configuration.{each.path}" for each in target.secrets}
    for key in configuration:
        assert any(name.startswith(f"configuration.{key}") for name in named), key


def test_the_order_of_keys_and_of_steps_makes_no_difference() -> None:
    one = (
        Digest()
        .step("create", SOURCE, "a", None, actor({"x": "1", "host": "b"}))
        .step("create", DESTINATION, "s3", None, actor())
    )
    other = (
        Digest()
        .step("create", DESTINATION, "s3", None, actor())
        .step("create", SOURCE, "a", None, actor({"host": "b", "x": "1"}))
    )

    assert targets(main_steps(read_preview(one.text())), FILES) == targets(
        main_steps(read_preview(other.text())), FILES
    )


# Masks

MASKED: Mapping[str, tuple[str, str]] = {
    "a user and a password": ("postgres://me:hunter2@db:5432/x", "postgres://***@db:5432/x"),
    "a password alone": ("redis://:hunter2@db", "redis://***@db"),
    "a password with a slash": ("redis://:hun/ter2@db", "redis://***@db"),
    "a path with an at": ("https://example.net/@good.example.com", "https://example.net/@good.example.com"),
    "two users": ("https://a@b:hunter2@example.net/", "https://***@example.net/"),
    "a query": ("https://x/?sig=hunter2&b=c#t=hunter2", "https://x/?sig=***&b=***#t=***"),
    "a header": ("Authorization: Bearer hunter2", "Authorization: Bearer ***"),
    "a libpq text": ("host=db password=hunter2 dbname=x", "host=db password=*** dbname=x"),
    "an ODBC text": ("Server=db;Pwd=hunter 2;Database=x", "Server=db;Pwd=***;Database=x"),
    "a storage account": ("AccountName=x;AccountKey=hunter2==;E=y", "AccountName=x;AccountKey=***;E=y"),
    "JSON": ('{"private_key": "hunter2", "project": "x"}', '{"private_key": ***, "project": "x"}'),
    "a login without a scheme": ("me:hunter2@db:5432/x", "***@db:5432/x"),
    "a login without a scheme, with slashes": ("//me:hunter2@db", "//***@db"),
    "an account of Google": ("serviceAccount:me@x.example.com", "serviceAccount:me@x.example.com"),
    "a password with a blank in quotes": ("host=db password='hunter2 hunter2'", "host=db password=***"),
    "a header of its own": ("X-Api-Key: hunter2hunter2", "***"),
    "a webhook": ("https://hooks.slack.com/services/T/B/hunter2", "***"),
    "a key in PEM": ("-----BEGIN PRIVATE KEY-----\nhunter2", "***"),
}


@pytest.mark.parametrize("what", MASKED)
def test_a_credential_within_a_value_is_masked(what: str) -> None:
    text, masked = MASKED[what]

    assert mask(("configuration", "address"), text) == masked


@pytest.mark.parametrize("key", ["password", "apiKey", "access_token", "client-secret", "sas", "storage_account_key"])
def test_the_value_of_a_key_that_looks_like_a_credential_is_masked(key: str) -> None:
    assert mask(("configuration", key), "hunter2") == "***"
    assert mask(("configuration", key, "0"), "hunter2") == "***"
    assert mask(("configuration", f"{key}_type"), "oauth") == "oauth"


@pytest.mark.parametrize(
    "text", ["a" * 300_000, "a:" * 100_000, "a=" * 100_000, "://" * 60_000, '"a":' * 60_000, "@" * 200_000]
)
def test_a_long_value_takes_no_quadratic_time(text: str) -> None:
    assert mask(("configuration", "address"), text)
