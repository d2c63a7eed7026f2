"""What the landing refuses, and how it says what failed."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from airbyte_twin.clock import Clock
from airbyte_twin.landing import Landing, LandingError
from landing_support import Lake, configuration, stream


@contextmanager
def guarded(url: str) -> Iterator[None]:
    """The server knows no key at all while this lasts."""
    httpx.post(f"{url}/moto-api/reset-auth", content="0").raise_for_status()
    try:
        yield
    finally:
        httpx.post(f"{url}/moto-api/reset-auth", content="inf").raise_for_status()


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"format": {"format_type": "CSV", "flattening": "No flattening"}}, "writes only Parquet, not CSV"),
        ({"format": {"format_type": "JSONL"}}, "not JSONL"),
        ({"format": {"format_type": "Avro"}}, "not Avro"),
        ({"format": {"format_type": "Parquet", "compression_codec": "LZO"}}, "LZO"),
        ({"format": {"format_type": "Parquet", "compression_codec": "zip"}}, "format.compression_codec"),
        ({"format": {"format_type": "Parquet", "block_size_mb": 0}}, "format.block_size_mb"),
        ({"format": {}}, "format.format_type"),
        ({"s3_bucket_name": ""}, "s3_bucket_name"),
        ({"role_arn": "arn:aws:iam::1:role/airbyte", "access_key_id": ""}, "role_arn"),
        ({"s3_endpoint": "nowhere"}, "'landing' at nowhere can't be used"),
    ],
)
def test_a_configuration_that_can_not_be_written_with_is_refused(overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(LandingError, match=said) as refused:
        Landing(configuration("http://127.0.0.1:1", "landing", **overrides), Clock())
    assert "some-secret" not in str(refused.value)


def test_a_writable_bucket_passes_the_check_and_is_left_as_it_was(lake: Lake) -> None:
    lake.landing().check()
    assert lake.written() == []


def test_a_missing_bucket_is_named_with_what_to_do(lake: Lake) -> None:
    landing = lake.landing(s3_bucket_name="elsewhere")
    writer = landing.open(stream())
    writer.write({"id": 1}, 0)
    for act in (landing.check, writer.close, lambda: landing.clear(stream())):
        with pytest.raises(LandingError, match=rf"'elsewhere' at {lake.url} does not exist: create it"):
            act()
    writer.abort()


def test_what_could_not_be_uploaded_is_not_lost(lake: Lake) -> None:
    bucket = f"{lake.bucket}-late"
    writer = lake.landing(s3_bucket_name=bucket).open(stream(generation_id=2, minimum_generation_id=2))
    writer.write({"id": 1}, 0)
    with pytest.raises(LandingError):
        writer.checkpoint()
    lake.client.create_bucket(Bucket=bucket)
    writer.close()
    late = replace(lake, bucket=bucket)
    assert [late.rows(key) for key in late.written()] == [[{"id": 1, "name": None}]]


def test_refused_credentials_are_told_without_them(lake: Lake) -> None:
    with guarded(lake.url), pytest.raises(LandingError, match="refuses the credentials") as refused:
        lake.landing().check()
    assert lake.bucket in str(refused.value)
    assert "some-" not in str(refused.value)


def test_a_server_that_does_not_answer_is_named_without_its_user() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        landing = Landing(configuration(f"http://user:word@127.0.0.1:{port}", "landing"), Clock())
        with pytest.raises(LandingError, match=rf"at http://127\.0\.0\.1:{port} does not answer .*: start the server"):
            landing.check()


def test_a_server_on_this_machine_is_reached_past_any_proxy(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    lake.landing().check()


def test_a_record_that_is_no_json_ends_the_sync(lake: Lake) -> None:
    with pytest.raises(LandingError, match="as JSON"):
        lake.landing().open(stream()).write({"name": "\ud800"}, 0)


def test_a_full_disk_is_told_with_the_folder(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = lake.landing().open(stream())
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    with pytest.raises(LandingError, match=r"'/nowhere/at/all' is not writable .*: free space"):
        writer.write({"id": 1}, 0)


def test_only_the_landing_loads_arrow_and_boto() -> None:
    script = "import airbyte_twin.cli, sys; print({'pyarrow', 'boto3'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "set()\n"
    )
