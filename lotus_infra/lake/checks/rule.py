"""The type of a rule, and a decorator for rules about one stream."""

from collections.abc import Callable, Iterable, Iterator

from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import Lake, StreamFile

Rule = Callable[[Lake], Iterable[Diagnostic]]
StreamFlaw = tuple[JsonPath, str, str]
"""The path in a stream's file, what is wrong, and what to do."""


def each_selected_stream(check: Callable[[StreamFile], Iterable[StreamFlaw]]) -> Rule:
    """Make a rule from a check of one stream; streams that are not selected never reach the server."""

    def rule(lake: Lake) -> Iterator[Diagnostic]:
        for stream in lake.streams:
            if stream.config.selected:
                for path, what, remedy in check(stream):
                    yield Diagnostic(stream.file, path, what, remedy)

    rule.__name__ = check.__name__
    rule.__doc__ = check.__doc__
    return rule
