"""AWS as moto has it, where it checks policies: without the differences that would hide what a policy says."""

import pytest
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import FakeBucket, S3Backend


def correct_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moto, in this process, answer as AWS does where it checks policies."""
    # moto checks no condition of a bucket's policy: the one against requests without TLS would refuse every request.
    monkeypatch.setattr(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)
    monkeypatch.setattr(S3Backend, "upload_part", _upload_part)


def _upload_part(_: S3Backend, bucket: str, multipart_id: str, *arguments: object, **options: object) -> None:
    """The answer about an upload that does not exist, on which moto fails."""
    raise NoSuchUpload(upload_id=multipart_id)
