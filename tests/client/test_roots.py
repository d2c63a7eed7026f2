"""The two roots of an Airbyte."""

import pytest
from pulumi_airbyte.client import ClientSettings
from pulumi_airbyte.client.settings import derive_config_url, url_problem


@pytest.mark.parametrize(
    ("public", "config"),
    [
        ("https://airbyte.example.com/api/public/v1", "https://airbyte.example.com/api/v1"),
        ("https://airbyte.example.com/api/public/v1/", "https://airbyte.example.com/api/v1"),
        ("https://example.com/airbyte/api/public/v1", "https://example.com/airbyte/api/v1"),
        ("http://lake-airbyte-server-svc:8001/api/public/v1", "http://lake-airbyte-server-svc:8001/api/v1"),
        ("https://api.airbyte.com/v1", "https://cloud.airbyte.com/api/v1"),
        ("https://api.airbyte.com/v1/", "https://cloud.airbyte.com/api/v1"),
        ("http://airbyte.example.com:8006/v1", ""),
    ],
)
def test_the_config_root_follows_from_the_public_one_where_that_is_known(public: str, config: str) -> None:
    assert derive_config_url(public) == config
    assert ClientSettings(public).config_url == config


def test_a_config_root_that_is_given_wins() -> None:
    settings = ClientSettings("https://a.example.com/api/public/v1/", config_url="https://b.example.com/api/v1/")
    assert settings.public_url == "https://a.example.com/api/public/v1"
    assert settings.config_url == "https://b.example.com/api/v1"


@pytest.mark.parametrize(
    "url", ["https://airbyte.example.com/api/public/v1", "http://127.0.0.1:8000", "http://[::1]/v1"]
)
def test_a_sound_address_has_no_problem(url: str) -> None:
    assert url_problem(url) == ""


@pytest.mark.parametrize(
    "url",
    ["", "airbyte.example.com/api", "ftp://example.com", "https://", "https://h:port/", "http://["],
)
def test_what_is_no_address_is_shown_with_an_example(url: str) -> None:
    assert url_problem(url) == f"{url!r} is not a URL like https://airbyte.example.com/api/public/v1"


@pytest.mark.parametrize("url", ["https://h/?token=hunter2", "h/?hunter2", "https://[?hunter2"])
def test_an_address_with_a_query_is_refused_without_showing_it(url: str) -> None:
    assert url_problem(url) == "the URL has a query; leave out the question mark and the rest"


def test_an_address_that_may_hold_a_token_is_refused_without_showing_it() -> None:
    assert url_problem("hunter2%zz") == "it is not a URL like https://airbyte.example.com/api/public/v1"


@pytest.mark.parametrize("host", ["airbyte.example.com", "airbyte.example.com:port"])
def test_credentials_in_an_address_are_refused_without_showing_them(host: str) -> None:
    problem = url_problem(f"https://somebody:hunter2@{host}/api/public/v1")
    assert "give username and password instead" in problem
    assert "hunter2" not in problem
