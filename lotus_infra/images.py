"""References to container images that say for good which image is meant.

A digest does by its nature. A tag does when it names a commit or a full version: whoever moves such a tag breaks a
promise, whereas `latest`, `main` or `v1` are made to be moved, and then nobody can tell from a cluster what runs in it.
"""

import re
from dataclasses import dataclass
from typing import Self

from lotus_infra.errors import LotusError

_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?/)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<repository>{_HOST}{_PART}(?:/{_PART})*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?(?:@(?P<digest>\S+))?"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_COMMIT = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{7,40}(?![0-9A-Za-z])")
_VERSION = re.compile(r"(?<![0-9A-Za-z.])v?[0-9]+\.[0-9]+\.[0-9]+(?![0-9])")
_REMEDY = "give a digest (name@sha256:…), or a tag with a commit or a full version (name:3f9c2a1, name:1.13.14)"


class ImageError(LotusError):
    """A text is no reference to one image for good."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image, by tag, by digest, or by both; then the digest decides.

    Attributes:
        repository: Registry and name: `ghcr.io/example/lotus-dagster`.
        tag: One that holds a commit or a full version.
        digest: `sha256:` and 64 hexadecimal digits.
    """

    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference.

        Raises:
            ImageError: It is none, or one that may be another image tomorrow.
        """
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise ImageError(f'"{text}" names no image', _REMEDY)
        repository, tag, digest = found.group("repository", "tag", "digest")
        if digest is not None and _DIGEST.fullmatch(digest) is None:
            raise ImageError(f'the digest of the image "{text}" is not sha256: and 64 hexadecimal digits', _REMEDY)
        if tag is None and digest is None:
            raise ImageError(f'the image "{text}" has neither tag nor digest, which means "latest"', _REMEDY)
        if tag == "latest" or (tag is not None and digest is None and not is_immutable(tag)):
            raise ImageError(f'the tag "{tag}" of the image "{text}" may name another image tomorrow', _REMEDY)
        return cls(repository, tag, digest)

    def __str__(self) -> str:
        tag = "" if self.tag is None else f":{self.tag}"
        digest = "" if self.digest is None else f"@{self.digest}"
        return self.repository + tag + digest


def is_immutable(tag: str) -> bool:
    """Whether a tag names a commit (7 to 40 hexadecimal digits) or a full version (three numbers)."""
    return _COMMIT.search(tag) is not None or _VERSION.search(tag) is not None
