"""Credentials in the addresses of messages: every form of them is masked, and the rest of an address stays."""

import itertools

import pytest

from lotus_infra.commands.doctor.results import CheckResult
from lotus_infra.errors import LotusError, has_credentials, masked_urls

PASSWORDS = ("pa55word", "pa55:word", "pa55@word", "pa55/word", "55/pa55", "%70a55", "pa55%40")
NOT_IN_A_QUERY = ("pa55?word", "pa55#word")
PLACES = (
    "https://user:{}@host/path",
    "https://user:{}@host:8443",
    "http://:{}@host",
    "redis://:{}@host:6379/0",
    "s3://state?region=us-west-1&endpoint=http://user:{}@minio:9000&s3ForcePathStyle=true",
    "s3://state?endpoint=user:{}@minio:9000",
    "postgresql+psycopg://user:{}@db/lake",
    "git+https://user:{}@host/a.git",
    "ssh://user:{}@host/a.git",
)


@pytest.mark.parametrize(
    ("place", "password"),
    [
        *itertools.product(PLACES, PASSWORDS),
        *itertools.product([place for place in PLACES if "?" not in place], NOT_IN_A_QUERY),
    ],
)
def test_a_password_is_masked_wherever_it_is(place: str, password: str) -> None:
    url = place.format(password)
    error = LotusError(f"the server at {url} is down", f"look at '{url}'")
    found = CheckResult("backend", "broken", f"({url})", url)

    for text in (masked_urls(url), str(error), repr(error), error.message, error.hint, found.what, found.remedy):
        assert "a55" not in text
        assert "word" not in text
        assert "***" in text
    assert has_credentials(url)


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://token@github.com/a/b.git", "https://***@github.com/a/b.git"),
        ("https://lake.blob.core.windows.net/c?sp=r&sig=a%2Bb", "https://lake.blob.core.windows.net/c?sp=***&sig=***"),
        ("https://hooks.example.com/?token=abc#top", "https://hooks.example.com/?token=***#top"),
        ("s3://s?endpoint=http%3A%2F%2Fuser%3Apw%40minio&region=a", "s3://s?endpoint=***&region=a"),
    ],
)
def test_tokens_and_options_that_are_not_known_as_plain_are_masked(url: str, masked: str) -> None:
    assert masked_urls(url) == masked
    assert masked_urls(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "https://airbyte.example.com/api/public/v1",
        "s3://lake-state/prefix?region=us-west-1&endpoint=minio:9000&disableSSL=true&s3ForcePathStyle=true",
        "azblob://state?storage_account=lake",
        "ssh://git@github.com/a/b.git",
        "git@github.com:a/b.git",
        "https://[::1]:8000/v1",
        "mail to lake@example.com, see https://example.com: it has more",
        "file:///state",
    ],
)
def test_a_text_without_credentials_stays(text: str) -> None:
    assert masked_urls(text) == text
    assert not has_credentials(text)


def test_a_long_text_without_an_address_takes_linear_time() -> None:
    # The state of a stack, or the output of the engine: in quadratic time this would take hours.
    text = "a" * 2_000_000

    assert masked_urls(text) == text
