"""Pinned references to container images.

A digest is immutable. A tag with a commit or a full version is immutable by convention; `latest`, `main` and `v1` are
moved to new images, and then the reference in a cluster no longer identifies the running image.
"""

import re
from dataclasses import dataclass
from typing import Self

from lotus_infra.errors import LotusError

DOCKER_HUB = "docker.io"
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
    """A text is not a pinned reference to an image."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image by tag, by digest, or by both: then registries use the digest.

    Attributes:
        repository: Registry and name: `ghcr.io/example/lotus-dagster`.
        tag: With a digest, any tag but `latest`; else one with a commit or a full version.
        digest: `sha256:` and 64 hexadecimal digits.
    """

    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a reference.

        Raises:
            ImageError: The text is not a reference, or not a pinned one.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise ImageError(f'"{text}" is not a reference to an image', _REMEDY)
        repository, tag, digest = match.group("repository", "tag", "digest")
        if digest is not None and _DIGEST.fullmatch(digest) is None:
            raise ImageError(f'the digest of the image "{text}" is not sha256: and 64 hexadecimal digits', _REMEDY)
        if tag is None and digest is None:
            raise ImageError(f'the image "{text}" has neither tag nor digest, which means "latest"', _REMEDY)
        if tag == "latest" or (tag is not None and digest is None and not is_immutable(tag)):
            raise ImageError(f'the tag "{tag}" of the image "{text}" can be moved to another image', _REMEDY)
        return cls(repository, tag, digest)

    @property
    def registry(self) -> str:
        """The host of its registry, with a port if the reference has one."""
        host, slash, _ = self.repository.partition("/")
        # Without a dot, a port or this name, the first part is a folder of Docker's own registry.
        return host if slash and ("." in host or ":" in host or host == "localhost") else DOCKER_HUB

    def __str__(self) -> str:
        tag = "" if self.tag is None else f":{self.tag}"
        digest = "" if self.digest is None else f"@{self.digest}"
        return self.repository + tag + digest


def is_immutable(tag: str) -> bool:
    """Whether a tag contains a commit (7 to 40 hexadecimal digits) or a full version (three numbers)."""
    return _COMMIT.search(tag) is not None or _VERSION.search(tag) is not None
