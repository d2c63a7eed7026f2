"""A message read in every encoding that it may be written in: one canonical form for all spellings of a text.

A secret that a server repeats may be encoded for a URL, for HTML, for JSON or in base64, in several of these at once,
and each character in another way. So a message is decoded until nothing is left to decode, and each byte of the result
knows which part of the message it came from. Two texts that differ only in how they are written have equal canonical
forms.
"""

import base64
import html.entities
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

ROUNDS: Final = 8
"""An encoding of an encoding of an encoding …: decoded so many times at most."""
NESTED: Final = 2
"""How deep base64 in base64 is looked into."""
SHORTEST_RUN: Final = 6
"""Characters of base64 that stand for four bytes."""

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
"""A line break and its JSON escape without the backslash; a space and its plus in a URL."""
_URL_SAFE: Final = str.maketrans("-_", "+/")


@dataclass(frozen=True)
class Layer:
    """A reading of a message.

    Attributes:
        text: its bytes, each as the character of that number.
        starts: for each of them where the part of the message begins that it was read from.
        ends: where that part ends.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def part(self, first: int, last: int) -> tuple[int, int]:
        """The part of the message that these bytes, the last one included, were read from."""
        return self.starts[first], self.ends[last]


def written(text: str) -> Layer:
    """A message as it is."""
    if text.isascii():
        return Layer(text, range(len(text)), range(1, len(text) + 1))
    pieces = [_bytes(character) for character in text]
    places = [index for index, piece in enumerate(pieces) for _ in piece]
    return Layer("".join(pieces), places, [index + 1 for index in places])


def readings(text: str) -> Iterator[Layer]:
    """Every canonical reading of a message: its own, and those of what may be base64 in it, at any alignment."""
    yield from _readings(written(text), NESTED)


def canonical(text: str) -> str:
    """The canonical form of a text that stands for itself."""
    return _canonical(_decoded(written(text))).text


def _readings(layer: Layer, depth: int) -> Iterator[Layer]:
    decoded = _decoded(layer)
    yield _canonical(decoded)
    if depth:
        for inner in _from_base64(decoded):
            yield from _readings(inner, depth - 1)


def _decoded(layer: Layer) -> Layer:
    """A reading with all escapes of URLs, of HTML and of JSON resolved, but for backslashes before a single letter."""
    for _ in range(ROUNDS):
        before = layer
        layer = _rewritten(_rewritten(layer, _URL_OR_HTML, _url_or_html), _JSON, _json)
        if layer is before:
            break
    return layer


def _canonical(layer: Layer) -> Layer:
    """A decoded reading without backslashes, in which characters are alike that have one spelling in some encoding."""
    bare = _rewritten(layer, _BACKSLASHES, lambda match: match[1])
    return Layer(bare.text.translate(_SPELT_ALIKE), bare.starts, bare.ends)


def _rewritten(layer: Layer, pattern: re.Pattern[str], meaning: Callable[[re.Match[str]], str | None]) -> Layer:
    """A reading with what matches replaced by what it means; the same one where nothing matches."""
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
    """As JSON writes characters, and the languages of connectors do in their own messages."""
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
    """What all runs of base64 mean, from each of their first four characters on: a word may stand right before them."""
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
            # What two runs mean is no one text.
            texts += (meant, " ")
            starts.append(joined.starts[after - 1])
            ends.append(joined.ends[after - 1])
        yield Layer("".join(texts), starts, ends)


def _meant(encoded: str) -> str:
    whole = encoded[: len(encoded) - (len(encoded) % 4 == 1)].translate(_URL_SAFE)
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("latin-1")
