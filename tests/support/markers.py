"""Markers: values that stand in for secrets, and the search for them in whatever a program leaves.

A marker repeats its own short atom of letters and digits between characters that programs escape. So every encoding of
single characters (of URLs, JSON, HTML, shells, Python) leaves the atom readable, and every cut of twenty characters
has it whole. The search adds the encodings that change letters and digits: base64 at each alignment, hexadecimal, and
digests.
"""

import base64
import gzip
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pyarrow as pa

HARD: Final = "\"%4'\\é<"
"""What encodings change; short, so that twenty characters from either end still have the atom."""
ZSTD: Final = b"\x28\xb5\x2f\xfd"
GZIP: Final = b"\x1f\x8b"
TEXT_OF_A_FINDING: Final = 60
"""Bytes that a finding shows before and after what was found."""


@dataclass(frozen=True)
class Marker:
    """A value that stands in for a secret.

    Attributes:
        name: What it is the value of.
        atom: What it repeats; no other marker has it.
        value: The value.
    """

    name: str
    atom: str
    value: str

    @cached_property
    def needles(self) -> frozenset[bytes]:
        """The texts that give it away."""
        atom = self.atom.encode()
        # Of base64, only the characters that the atom alone decides.
        inner = {
            base64.b64encode(b"\0" * skip + atom)[-(-skip * 8 // 6) : (skip + len(atom)) * 8 // 6] for skip in range(3)
        }
        whole = self.value.encode()
        digests = {hashlib.new(name, whole).hexdigest()[:16].encode() for name in ("md5", "sha1", "sha256")}
        floats = {f"{int(self.value):.17g}"[:10].encode()} if self.value.isdecimal() else set()
        return frozenset({atom, atom.hex().encode(), atom.lower(), *inner, *digests, *floats})


@dataclass(frozen=True)
class Finding:
    """A marker at a place where it must not be."""

    marker: str
    place: str
    excerpt: str


def marker(name: str, form: str = "{head}{atom}-{atom}{tail}") -> Marker:
    """The marker of a name, always the same one.

    Args:
        name: What it is the value of.
        form: How the value is written, with `{atom}`, and `{head}` and `{tail}` of characters that encodings change.
    """
    digest = hashlib.sha256(name.encode()).digest()
    atom = "zQ" + base64.b32encode(digest).decode()[:8].swapcase() + "7K"
    if form == "{number}":
        atom = str(int.from_bytes(digest[:8], "big"))[:10]
        return Marker(name, atom, atom * 2)
    fills = {"atom": atom, "head": HARD, "tail": HARD[::-1], "number": atom}
    value = form
    for key, text in fills.items():
        value = value.replace("{" + key + "}", text)
    return Marker(name, atom, value)


def found(text: bytes, place: str, markers: Iterable[Marker]) -> Iterator[Finding]:
    """The markers in a text, each once."""
    for each in markers:
        for needle in sorted(each.needles):
            at = text.find(needle)
            if at >= 0:
                excerpt = text[max(0, at - TEXT_OF_A_FINDING) : at + len(needle) + TEXT_OF_A_FINDING]
                yield Finding(each.name, place, excerpt.decode(errors="replace"))
                break


def content(raw: bytes) -> bytes:
    """The content of a file, decompressed where it is compressed as the engine does."""
    if raw.startswith(GZIP):
        return gzip.decompress(raw)
    if raw.startswith(ZSTD):
        return bytes(pa.CompressedInputStream(pa.BufferReader(raw), "zstd").read())
    return raw


class Searched:
    """Folders in which everything that is written is searched.

    Attributes:
        markers: What is searched for.
        allowed: By the name of a marker, the files that may have it, as `Path.match` takes them.

    Args:
        folders: The folders.
        markers: What is searched for at first.
        allowed: At first.
    """

    def __init__(
        self, folders: Iterable[Path], markers: Iterable[Marker], allowed: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        self._folders = tuple(folders)
        self.markers = tuple(markers)
        self.allowed = dict(allowed or {})
        self._seen: dict[Path, tuple[int, int]] = {}

    def text(self, text: str, place: str) -> list[Finding]:
        """The findings in something that was printed."""
        return list(found(text.encode(errors="surrogateescape"), place, self.markers))

    def files(self) -> list[Finding]:
        """The findings in files that are new or other than at the last call, their names included."""
        findings: list[Finding] = []
        for path in sorted(path for folder in self._folders for path in folder.rglob("*")):
            try:
                status = path.lstat()
                version = (status.st_mtime_ns, status.st_size)
                if self._seen.get(path) == version:
                    continue
                raw = content(path.read_bytes()) if path.is_file() and not path.is_symlink() else b""
            except OSError:
                continue  # It is gone already, or a socket.
            self._seen[path] = version
            findings += self._permitted(found(str(path).encode() + b"\n" + raw, str(path), self.markers), path)
        return findings

    def _permitted(self, findings: Iterable[Finding], path: Path) -> Iterator[Finding]:
        for each in findings:
            if not any(path.match(pattern) for pattern in self.allowed.get(each.marker, ())):
                yield each
