"""What a rule is."""

from collections.abc import Callable, Iterable, Iterator

from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import Lake, StreamFile

Rule = Callable[[Lake], Iterable[Diagnostic]]
Complaint = tuple[JsonPath, str, str]
"""Where in a stream's file, what is wrong, what to do."""


def each_selected_stream(judge: Callable[[StreamFile], Iterable[Complaint]]) -> Rule:
    """Make a rule of a judgement about one stream; streams that are not selected never reach the server."""

    def rule(lake: Lake) -> Iterator[Diagnostic]:
        for stream in lake.streams:
            if stream.config.selected:
                for path, what, remedy in judge(stream):
                    yield Diagnostic(stream.file, path, what, remedy)

    rule.__name__ = judge.__name__
    rule.__doc__ = judge.__doc__
    return rule
