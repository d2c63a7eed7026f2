"""Removes secrets from what people will see, in whatever way they are written there."""

import json
import re
import threading
from collections.abc import Iterable, Iterator
from typing import Final

from pulumi_airbyte.client.encodings import Layer, canonical, readings, written
from pulumi_airbyte.values import JsonValue, leaves

SHORTEST_SECRET: Final = 4
SHORTEST_LINE: Final = 8
"""A shorter line of a secret of several lines is no secret by itself."""
REMOVED: Final = "[secret]"

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_ESCAPED_LINE_END: Final = re.compile(r"\\r|\\n|\r|\n")
_ARMOR: Final = re.compile(r"-----(?:BEGIN|END) [^-]*-----")


class Redactor:
    """Removes known secret values from text. Thread-safe.

    A value is found as it is, and encoded for a URL, for HTML or for JSON, each character in a way of its own, and as
    part of what is encoded in base64. So are its parts that are secret by themselves: without white space around it,
    the single lines of a key, the texts in a JSON key file.
    """

    def __init__(self) -> None:
        self._learned: frozenset[str] = frozenset()
        self._plain: frozenset[str] = frozenset()
        self._canonical: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def learn(self, secrets: Iterable[str]) -> None:
        """Remember values to remove; shorter ones than four characters would blank out ordinary words."""
        new = set(secrets) - self._learned
        if new:
            parts = {part for secret in new for part in _parts(secret) if len(part) >= SHORTEST_SECRET}
            forms = {form for part in parts for form in _forms(part) if len(form) >= SHORTEST_SECRET}
            with self._lock:
                self._learned |= new
                self._plain |= {written(part).text for part in parts}
                self._canonical |= forms

    def clean(self, text: str) -> str:
        """The text without any remembered value."""
        if not self._plain:
            return text
        found = set(_places(written(text), self._plain))
        for layer in readings(text):
            found.update(_places(layer, self._canonical))
        return _without(text, sorted(found))

    def line(self, text: str) -> str:
        """The text without any remembered value, on one line."""
        return " ".join(self.clean(text).split())


def _parts(secret: str) -> Iterator[str]:
    """A secret, and what is secret of it by itself."""
    yield secret
    yield secret.strip()
    lines = (_ESCAPED_LINE_END if _ARMOR.search(secret) else _LINE_END).split(secret)
    if len(lines) > 1:
        yield from (line for line in map(str.strip, lines) if len(line) >= SHORTEST_LINE and not _ARMOR.match(line))
    for text in _texts(secret):
        yield from _parts(text)


def _texts(secret: str) -> Iterator[str]:
    """The texts in a secret that is a JSON document."""
    if secret.lstrip()[:1] in {"{", "["}:
        try:
            document: JsonValue = json.loads(secret)
            yield from [leaf for _, leaf in leaves(document) if isinstance(leaf, str)]
        except (ValueError, RecursionError):
            return


def _forms(part: str) -> Iterator[str]:
    """How a secret shows in a canonical reading; old encoders of URLs write accents in one byte."""
    yield canonical(part)
    if not part.isascii():
        try:
            yield canonical("".join(f"%{byte:02x}" if byte > 127 else chr(byte) for byte in part.encode("latin-1")))
        except UnicodeEncodeError:
            return


def _places(layer: Layer, secrets: Iterable[str]) -> Iterator[tuple[int, int]]:
    """The parts of a message in which a reading of it has secrets."""
    for secret in secrets:
        at = layer.text.find(secret)
        while at >= 0:
            yield layer.part(at, at + len(secret) - 1)
            at = layer.text.find(secret, at + 1)


def _without(text: str, parts: list[tuple[int, int]]) -> str:
    """A text with these parts removed, which may overlap; in the order of their starts."""
    kept: list[str] = []
    done = 0
    for start, end in parts:
        if start >= done:
            kept += (text[done:start], REMOVED)
        done = max(done, end)
    return "".join([*kept, text[done:]])
