"""The provider's own configuration: checked, compared, and completed from the environment."""

from typing import Any

import grpc
import pytest
from airbyte_twin.testing import running_twin
from pulumi_airbyte.client.environment import CLOUD, RETRY_SECONDS
from pulumi_airbyte.provider import configuration
from pulumi_airbyte.provider.configuration import ADOPT_VARIABLE, adopts_identical, client_settings
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Secret

from tests.provider.lab import LAB_SOURCE
from tests.provider.plugin import NOTHING, Plugin, error

URL = "https://airbyte.example.com/api/public/v1"
APPLICATION = {"clientId": "an-id", "clientSecret": Secret("a-secret")}


def test_sound_configuration_passes_as_it_is(unconfigured: Plugin) -> None:
    given = {"serverUrl": URL, "version": "0.1.0"} | APPLICATION
    checked = unconfigured.check_config(**given)
    assert (checked.inputs, checked.failures) == (given, {})


def test_no_configuration_at_all_is_sound(unconfigured: Plugin) -> None:
    assert unconfigured.check_config().failures == {}


@pytest.mark.parametrize("name", ["clientSecret", "password", "bearerAuth"])
def test_secrets_are_marked_even_if_the_program_has_not(unconfigured: Plugin, name: str) -> None:
    others = {"clientSecret": {"clientId": "an-id"}, "password": {"username": "a-name"}}.get(name, {})
    checked = unconfigured.check_config(**{name: "value"}, **others)
    assert checked.inputs == {name: Secret("value")} | others


@pytest.mark.parametrize(("value", "text"), [(12345, "12345"), (True, "true"), (Secret(12345), "12345")])
def test_a_password_that_looks_like_a_number_is_a_text(unconfigured: Plugin, value: Any, text: str) -> None:
    checked = unconfigured.check_config(username="a-name", password=value)
    assert (checked.inputs, checked.failures) == ({"username": "a-name", "password": Secret(text)}, {})


@pytest.mark.parametrize(
    ("given", "path", "reason"),
    [
        ({"serverURL": URL}, "serverURL", "is not a property of this resource: did you mean serverUrl?"),
        ({"zzz": "x"}, "zzz", "known are adoptExisting, bearerAuth"),
        ({"serverUrl": "airbyte.example.com"}, "serverUrl", "'airbyte.example.com' is not a URL like"),
        ({"configUrl": "ftp://x"}, "configUrl", "is not a URL like"),
        ({"tokenUrl": "token"}, "tokenUrl", "is not a URL like"),
        ({"serverUrl": "https://a:b@airbyte.example.com"}, "serverUrl", "carries credentials"),
        ({"serverUrl": [URL]}, "serverUrl", "must be a string"),
        ({"adoptExisting": "always"}, "adoptExisting", "'always' is not allowed: give one of never, identical"),
        ({"adoptExisting": True}, "adoptExisting", "'true' is not allowed: give one of never, identical"),
        ({"adoptExisting": "Identical"}, "adoptExisting", "give one of never, identical"),
        (APPLICATION | {"username": "u", "password": "p"}, "clientId", "not several"),
        ({"clientId": "an-id"}, "clientId", "go together"),
        ({"username": "u"}, "clientId", "go together"),
        ({"bearerAuth": "a\n"}, "clientId", "no header can carry"),
    ],
    ids=str,
)
def test_configuration_that_makes_no_sense_is_refused(
    unconfigured: Plugin, given: dict[str, Any], path: str, reason: str
) -> None:
    failures = unconfigured.check_config(**given).failures
    assert list(failures) == [path]
    assert reason in failures[path]


def test_what_is_not_known_yet_is_not_judged(unconfigured: Plugin) -> None:
    given = {"serverUrl": UNKNOWN, "clientId": "an-id", "clientSecret": Secret(UNKNOWN)}
    checked = unconfigured.check_config(**given)
    assert (checked.inputs, checked.failures) == (given, {})


def test_equal_configurations_have_no_difference(unconfigured: Plugin) -> None:
    assert unconfigured.diff_config({"serverUrl": URL} | APPLICATION, {"serverUrl": URL} | APPLICATION) == NOTHING


def test_no_change_of_the_configuration_replaces_anything(unconfigured: Plugin) -> None:
    rotated = {"serverUrl": "https://other.example.com", "clientId": "an-id", "clientSecret": Secret("another")}
    found = unconfigured.diff_config({"serverUrl": URL, "username": "u"} | APPLICATION, rotated)
    assert found.detail == {"serverUrl": "update", "clientSecret": "update", "username": "delete"}
    assert found.replaces == []


def test_a_change_of_adoption_alone_is_no_difference(unconfigured: Plugin) -> None:
    before, asked = {"serverUrl": URL}, {"serverUrl": URL, "adoptExisting": "identical"}

    for old, new in ((before, asked), (asked, before), (asked, asked | {"adoptExisting": "never"})):
        assert unconfigured.diff_config(old, new) == NOTHING
    assert unconfigured.diff_config(before, asked | {"serverUrl": f"{URL}/"}).properties == ["serverUrl"]


@pytest.mark.parametrize(
    ("given", "environment", "adopts"),
    [
        ({}, {}, False),
        ({"adoptExisting": "never"}, {}, False),
        ({"adoptExisting": "identical"}, {}, True),
        ({}, {ADOPT_VARIABLE: "identical"}, True),
        ({}, {ADOPT_VARIABLE: "never"}, False),
        ({}, {ADOPT_VARIABLE: ""}, False),
        ({"adoptExisting": ""}, {ADOPT_VARIABLE: "identical"}, True),
        ({"adoptExisting": "never"}, {ADOPT_VARIABLE: "identical"}, False),
        ({"adoptExisting": "identical"}, {ADOPT_VARIABLE: "never"}, True),
        ({"adoptExisting": "identical"}, {ADOPT_VARIABLE: "always"}, True),
        ({"bearerAuth": Secret("a-token")}, {ADOPT_VARIABLE: "identical"}, True),
    ],
    ids=str,
)
def test_a_create_adopts_only_where_the_configuration_or_else_the_environment_asks(
    given: dict[str, Any], environment: dict[str, str], *, adopts: bool
) -> None:
    assert adopts_identical(given, environment) is adopts


def test_a_variable_that_makes_no_sense_fails_the_check_and_lists_the_two(
    unconfigured: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADOPT_VARIABLE, "always")

    told = f"${ADOPT_VARIABLE}: 'always' is not allowed: give one of never, identical"
    assert unconfigured.check_config(serverUrl=URL).failures == {"adoptExisting": told}
    assert unconfigured.check_config(adoptExisting="never").failures == {}


def test_a_server_that_is_not_known_yet_is_refused_when_it_is_asked(unconfigured: Plugin) -> None:
    unconfigured.configure(serverUrl=UNKNOWN)
    given = {"workspaceId": LAB_SOURCE, "definitionId": LAB_SOURCE, "configuration": {}}
    checked = unconfigured.check("source", given)
    assert checked.failures == {}
    assert "address is known only after an update" in error(lambda: unconfigured.invoke("getWorkspace"))


def test_the_plugin_can_be_configured_for_each_way_to_authenticate(unconfigured: Plugin) -> None:
    ways = {
        "none": {},
        "basic": {"username": "airbyte", "password": Secret("password")},
        "client_credentials": {"clientId": "twin-client-id", "clientSecret": Secret("twin-client-secret")},
    }
    for mode, given in ways.items():
        with running_twin(auth=mode) as twin:
            unconfigured.configure(serverUrl=twin.public_url, **given)
            assert unconfigured.invoke("getWorkspace")["workspaceId"] == twin.workspace_id


def test_wrong_credentials_are_one_message_with_the_hint_and_without_the_secret(unconfigured: Plugin) -> None:
    with running_twin(auth="client_credentials") as twin:
        unconfigured.configure(serverUrl=twin.public_url, clientId="an-id", clientSecret=Secret("a-wrong-secret"))
        message = error(lambda: unconfigured.invoke("getWorkspace"))
    assert message == (
        "Airbyte was not asked to list workspaces, because there was no token. Airbyte could not issue a token: "
        "400 Invalid client id or token\n  Check clientId and clientSecret."
    )


def test_airbyte_cloud_is_the_server_where_none_is_named() -> None:
    settings = client_settings({}, {})
    assert settings is not None
    assert (settings.public_url, settings.config_url) == (CLOUD, "https://cloud.airbyte.com/api/v1")


def test_the_environment_completes_what_the_program_leaves_out() -> None:
    environment = {
        "AIRBYTE_SERVER_URL": URL,
        "AIRBYTE_CLIENT_ID": "an-id",
        "AIRBYTE_CLIENT_SECRET": "a-secret",
        RETRY_SECONDS: "2",
    }
    settings = client_settings({}, environment)
    assert settings is not None
    assert (settings.public_url, settings.auth.client_id, settings.auth.mode) == (URL, "an-id", "client_credentials")
    assert settings.retry.base_seconds == 2

    settings = client_settings({"clientId": "of-the-program"}, environment)
    assert settings is not None
    assert (settings.auth.client_id, settings.auth.client_secret) == ("of-the-program", "a-secret")


def test_a_program_that_says_how_to_authenticate_is_not_mixed_with_the_environment() -> None:
    settings = client_settings({"bearerAuth": Secret("a-token")}, {"AIRBYTE_USERNAME": "u", "AIRBYTE_PASSWORD": "p"})
    assert settings is not None
    assert settings.auth.mode == "bearer"


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"AIRBYTE_SERVER_URL": "nowhere"}, "$AIRBYTE_SERVER_URL: 'nowhere' is not a URL"),
        ({"AIRBYTE_CLIENT_ID": "an-id"}, "clientId and clientSecret go together (among"),
        ({ADOPT_VARIABLE: "always"}, f"${ADOPT_VARIABLE}: 'always' is not allowed: give one of never, identical"),
        ({RETRY_SECONDS: "soon"}, f"${RETRY_SECONDS} is 'soon', not a number of seconds"),
    ],
    ids=str,
)
def test_an_environment_that_makes_no_sense_is_one_clear_error(
    unconfigured: Plugin, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], reason: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    message = error(unconfigured.configure, grpc.StatusCode.INVALID_ARGUMENT)
    assert message.startswith("airbyte: ")
    assert reason in message


def test_a_change_of_settings_is_a_message_of_names_without_values() -> None:
    old: Properties = {"serverUrl": URL, "clientId": "an-id", "clientSecret": Secret("a-secret")}
    new: Properties = {"tokenUrl": URL, "clientId": "an-id", "clientSecret": Secret("another"), "version": "2.0.0"}

    assert configuration.settings_change(old, new) == "its settings change: clientSecret, serverUrl, tokenUrl"
    assert configuration.settings_change({"version": "1"}, {"version": "2"}) == ""
