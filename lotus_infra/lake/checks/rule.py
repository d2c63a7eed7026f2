"""The type of a rule, and a decorator for rules about one stream."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import Lake, StreamFile

Rule = Callable[[Lake], Iterable[Diagnostic]]
MOST_OF_A_FILE: Final = 100
"""Mistakes by one rule that are reported for one file: each costs a search for its line."""
StreamFlaw = tuple[JsonPath, str, str]
"""The path in a stream's file, what is wrong, and what to do."""


def capped(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """The diagnostics, without those of a file that has very many; mistakes and notices are counted apart."""
    numbers: Counter[tuple[str, bool]] = Counter()
    for diagnostic in found:
        kind = (diagnostic.file, diagnostic.harmless)
        numbers[kind] += 1
        if numbers[kind] <= MOST_OF_A_FILE:
            yield diagnostic


def each_selected_stream(check: Callable[[StreamFile], Iterable[StreamFlaw]]) -> Rule:
    """Make a rule from a check of one stream; streams that are not selected never reach the server."""

    def rule(lake: Lake) -> Iterator[Diagnostic]:
        for stream in lake.streams:
            if stream.config.selected:
                for path, what, remedy in islice(check(stream), MOST_OF_A_FILE):
                    yield Diagnostic(stream.file, path, what, remedy)

    rule.__name__ = check.__name__
    rule.__doc__ = check.__doc__
    return rule
