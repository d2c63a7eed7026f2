"""AWS as moto has it, where it checks policies: without the differences that would hide what a policy says."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import FakeBucket, S3Backend
from moto.server import ThreadedMotoServer


@contextmanager
def running_aws() -> Iterator[str]:
    """The address of an AWS without any object, in this process."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        # moto's objects outlive its servers.
        httpx.post(f"{url}/moto-api/reset").raise_for_status()
        yield url
    finally:
        server.stop()


def correct_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moto, in this process, answer as AWS does where it checks policies."""
    # moto checks no condition of a bucket's policy: the one against requests without TLS would refuse every request.
    monkeypatch.setattr(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)
    monkeypatch.setattr(S3Backend, "upload_part", _upload_part)


def _upload_part(_: S3Backend, bucket: str, multipart_id: str, *arguments: object, **options: object) -> None:
    """The answer about an upload that does not exist, on which moto fails."""
    raise NoSuchUpload(upload_id=multipart_id)
