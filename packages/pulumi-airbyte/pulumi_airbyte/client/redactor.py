"""Remove secrets from messages, in whatever encoding they appear.

A server may repeat a secret encoded for a URL, for HTML, for JSON or in base64, in several of these at once, and each
character in another way. So a message is decoded until nothing is left to decode. Each byte of the result records which
part of the message it came from. Texts that differ only in their encoding have equal canonical forms.
"""

import base64
import html.entities
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi_airbyte.values import JsonValue, leaves

SHORTEST_SECRET: Final = 4
SHORTEST_LINE: Final = 8
"""Shorter lines of a multi-line secret are not treated as secrets of their own."""
REMOVED: Final = "[secret]"
NOT_SHOWN: Final = "(not shown, because it may quote secrets that are unknown here; see Airbyte's UI)"
"""Instead of a connector's message."""
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_ESCAPED_LINE_END: Final = re.compile(r"\\r|\\n|\r|\n")
_ARMOR: Final = re.compile(r"-----(?:BEGIN|END) [^-]*-----")
ROUNDS: Final = 8
"""Nested encodings are decoded at most this many times."""
NESTED: Final = 2
"""Depth to which base64 inside base64 is decoded."""
SHORTEST_RUN: Final = 6
"""Characters of base64 that encode four bytes, the shortest secret."""
LAST_CHARACTER: Final = 0x10FFFF
_URL_OR_HTML: Final = re.compile(
    r"%([0-9a-fA-F]{2})|&(?:#(?=[0-9])0*+([0-9]{0,7})|#[xX](?=[0-9a-fA-F])0*+([0-9a-fA-F]{0,6})|([A-Za-z][A-Za-z0-9]{1,31}));"
)
_JSON: Final = re.compile(
    r"(?<!\\)\\++(?:u([dD][89abAB][0-9a-fA-F]{2})\\++u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2}))"
)
_BACKSLASHES: Final = re.compile(r"\\++([^\\]|\Z)", re.DOTALL)
_LINE_BREAKS: Final = re.compile(r"(?:(?<!\\)\\++[nr]|[\n\r])[ \t]*+")
_BASE64_RUN: Final = re.compile(rf"[A-Za-z0-9+/]{{{SHORTEST_RUN},}}+")
_SPELT_ALIKE: Final = str.maketrans("\n\r\t\b\f\v+", "nrtbfv ")
"""Maps a line break to its JSON escape without the backslash, and a URL's plus to a space."""
_URL_SAFE: Final = str.maketrans("-_", "+/")


@dataclass(frozen=True)
class Layer:
    """A reading of a message.

    Attributes:
        text: the decoded bytes, each as the character of that number.
        starts: for each byte, the start of the message part that it was read from.
        ends: for each byte, the end of that part.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def part(self, first: int, last: int) -> tuple[int, int]:
        """The message part that these bytes (inclusive) were read from."""
        return self.starts[first], self.ends[last]


class Redactor:
    """Removes known secret values from text. Thread-safe.

    A value is found verbatim, encoded for a URL, for HTML or for JSON (also if each character is encoded differently),
    and inside base64. So are its parts that are secrets of their own: the value without surrounding white space, the
    lines of a key, and the texts in a JSON key file.
    """

    def __init__(self) -> None:
        self._learned: frozenset[str] = frozenset()
        self._plain: frozenset[str] = frozenset()
        self._canonical: frozenset[str] = frozenset()
        self._load: Callable[[], Iterable[str] | None] | None = None
        self._all_known = True
        self._covered: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    def learn(self, secrets: Iterable[str]) -> None:
        """Remember values to remove. Values of under four characters are ignored: they would match ordinary words."""
        new = set(secrets) - self._learned
        if new:
            parts = {part for secret in new for part in _parts(secret) if len(part) >= SHORTEST_SECRET}
            forms = {form for part in parts for form in _forms(part) if len(form) >= SHORTEST_SECRET}
            with self._lock:
                self._learned |= new
                self._plain |= {written(part).text for part in parts}
                self._canonical |= forms

    def expect(self, load: Callable[[], Iterable[str] | None]) -> None:
        """Learn further values just before a server's text is cleaned for the first time: decrypting them takes time.

        Args:
            load: returns the values, or None if they can't be known.
        """
        self._load = load

    def clean_answer(self, text: str) -> str:
        """`clean` for a text of a server: also without the expected values, as far as they can be known."""
        self._learn_expected()
        return self.clean(text)

    def cover(self, owner: str) -> None:
        """Note that all secrets of an object are known, given by its id."""
        with self._lock:
            self._covered |= {owner}

    def quote(self, text: str, *owners: str) -> str:
        """A connector's message on one line, without secrets.

        Connectors quote their configuration. So the message is not shown if expected values can't be known.

        Args:
            text: the message.
            owners: ids of the objects whose secrets it may quote; all of them must be covered.
        """
        known = self._covered.issuperset(owners) and self._learn_expected()
        return self.line(text) if known or not text.strip() else NOT_SHOWN

    def _learn_expected(self) -> bool:
        """Load the expected values once; returns whether they are known."""
        with self._loading:
            load, self._load = self._load, None
            if load is not None:
                found = load()
                self._all_known = found is not None
                self.learn(found or ())
            return self._all_known

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
    """A secret, and its parts that are secrets of their own."""
    yield secret
    yield secret.strip()
    lines = (_ESCAPED_LINE_END if _ARMOR.search(secret) else _LINE_END).split(secret)
    if len(lines) > 1:
        yield from (line for line in map(str.strip, lines) if len(line) >= SHORTEST_LINE and not _ARMOR.match(line))
    for text in _texts(secret):
        yield from _parts(text)


def _texts(secret: str) -> Iterator[str]:
    """The texts in a secret, if it is a JSON document."""
    if secret.lstrip()[:1] in {"{", "["}:
        try:
            document: JsonValue = json.loads(secret)
            yield from [leaf for _, leaf in leaves(document) if isinstance(leaf, str)]
        except (ValueError, RecursionError):
            return


def _forms(part: str) -> Iterator[str]:
    """The canonical forms of a secret. Some URL encoders write accented characters in Latin-1, one byte each."""
    yield canonical(part)
    if not part.isascii():
        try:
            yield canonical("".join(f"%{byte:02x}" if byte > 127 else chr(byte) for byte in part.encode("latin-1")))
        except UnicodeEncodeError:
            return


def _places(layer: Layer, secrets: Iterable[str]) -> Iterator[tuple[int, int]]:
    """The ranges of a message that hold secrets, according to one reading."""
    for secret in secrets:
        at = layer.text.find(secret)
        while at >= 0:
            yield layer.part(at, at + len(secret) - 1)
            at = layer.text.find(secret, at + 1)


def _without(text: str, parts: list[tuple[int, int]]) -> str:
    """A text without these ranges, which are sorted by start and may overlap."""
    kept: list[str] = []
    done = 0
    for start, end in parts:
        if start >= done:
            kept += (text[done:start], REMOVED)
        done = max(done, end)
    return "".join([*kept, text[done:]])


def written(text: str) -> Layer:
    """The reading of a message without decoding."""
    if text.isascii():
        return Layer(text, range(len(text)), range(1, len(text) + 1))
    pieces = [_bytes(character) for character in text]
    places = [index for index, piece in enumerate(pieces) for _ in piece]
    return Layer("".join(pieces), places, [index + 1 for index in places])


def readings(text: str) -> Iterator[Layer]:
    """Every canonical reading of a message: its own, and those of possible base64 in it, at any alignment."""
    yield from _readings(written(text), NESTED)


def canonical(text: str) -> str:
    """The canonical form of a text."""
    return _canonical(_decoded(written(text))).text


def _readings(layer: Layer, depth: int) -> Iterator[Layer]:
    decoded = _decoded(layer)
    yield _canonical(decoded)
    if depth:
        for inner in _from_base64(decoded):
            yield from _readings(inner, depth - 1)


def _decoded(layer: Layer) -> Layer:
    """Resolve all escapes of URLs, HTML and JSON, except backslashes before a single letter."""
    for _ in range(ROUNDS):
        before = layer
        layer = _rewritten(_rewritten(layer, _URL_OR_HTML, _url_or_html), _JSON, _json)
        if layer is before:
            break
    return layer


def _canonical(layer: Layer) -> Layer:
    """Remove backslashes, and unify characters that share a spelling in some encoding."""
    bare = _rewritten(layer, _BACKSLASHES, lambda match: match[1])
    return Layer(bare.text.translate(_SPELT_ALIKE), bare.starts, bare.ends)


def _rewritten(layer: Layer, pattern: re.Pattern[str], meaning: Callable[[re.Match[str]], str | None]) -> Layer:
    """Replace each match by its meaning; returns the same reading if nothing matches."""
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in pattern.finditer(layer.text):
        meant = meaning(match)
        if meant is None:
            continue
        first, after = match.span()
        texts += (layer.text[done:first], meant)
        starts += layer.starts[done:first]
        ends += layer.ends[done:first]
        start, end = layer.part(first, after - 1)
        starts += [start] * len(meant)
        ends += [end] * len(meant)
        done = after
    if not texts:
        return layer
    return Layer("".join([*texts, layer.text[done:]]), [*starts, *layer.starts[done:]], [*ends, *layer.ends[done:]])


def _url_or_html(match: re.Match[str]) -> str | None:
    percent, decimal, hexadecimal, name = match.groups()
    if percent:
        return chr(int(percent, 16))
    if name:
        named = html.entities.html5.get(f"{name};")
        return None if named is None else _bytes(named)
    number = int(decimal or "0") if decimal is not None else int(hexadecimal or "0", 16)
    return _bytes(chr(number)) if number <= LAST_CHARACTER else None


def _json(match: re.Match[str]) -> str | None:
    """Decode an escape of JSON, or of the languages that connectors are written in."""
    high, low, single, wide, byte = match.groups()
    if byte:
        return chr(int(byte, 16))
    if high:
        return _bytes(chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF)))
    number = int(single or wide, 16)
    return _bytes(chr(number)) if number <= LAST_CHARACTER else None


def _bytes(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _from_base64(layer: Layer) -> Iterator[Layer]:
    """Decode all runs of base64, starting at each of their first four characters: a word may directly precede them."""
    joined = _rewritten(layer, _LINE_BREAKS, lambda _: "")
    runs = [match.span() for match in _BASE64_RUN.finditer(joined.text.translate(_URL_SAFE))]
    for skipped in range(4) if runs else ():
        texts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for first, after in runs:
            begin = first + skipped
            meant = _meant(joined.text[begin:after])
            starts += [joined.starts[begin + index * 8 // 6] for index in range(len(meant))]
            ends += [joined.ends[begin + (index * 8 + 7) // 6] for index in range(len(meant))]
            # Separate the runs: a secret does not span two of them.
            texts += (meant, " ")
            starts.append(joined.starts[after - 1])
            ends.append(joined.ends[after - 1])
        yield Layer("".join(texts), starts, ends)


def _meant(encoded: str) -> str:
    whole = encoded[: len(encoded) - (len(encoded) % 4 == 1)].translate(_URL_SAFE)
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("latin-1")
