"""What a rule is."""

from collections.abc import Callable, Iterable, Iterator

from lotus_infra.streams.lake import Lake, StreamFile
from lotus_infra.streams.problems import Finding, JsonPath

Rule = Callable[[Lake], Iterable[Finding]]
Complaint = tuple[JsonPath, str, str]
"""Where in a stream's file, what is wrong, what to do."""


def each_selected_stream(judge: Callable[[StreamFile], Iterable[Complaint]]) -> Rule:
    """Make a rule of a judgement about one stream; streams that are not selected never reach the server."""

    def rule(lake: Lake) -> Iterator[Finding]:
        for stream in lake.streams:
            if stream.config.selected:
                for path, what, remedy in judge(stream):
                    yield Finding(stream.file, path, what, remedy)

    rule.__name__ = judge.__name__
    rule.__doc__ = judge.__doc__
    return rule
