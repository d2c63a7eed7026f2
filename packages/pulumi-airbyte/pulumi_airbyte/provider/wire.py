"""Build responses of the provider protocol."""

from collections.abc import Callable

from pulumi.runtime.proto import provider_pb2

from pulumi_airbyte.provider.properties import Property
from pulumi_airbyte.provider.resource import Failure
from pulumi_airbyte.values import Path, render_path

Kind = provider_pb2.PropertyDiff
JSON_TEXTS = frozenset({"configurations"})
"""Properties that are compared as trees, and that the engine knows as one text."""


def failures_response(failures: list[Failure]) -> provider_pb2.CheckResponse:
    """A response that lists failures by property."""
    return provider_pb2.CheckResponse(
        failures=[provider_pb2.CheckFailure(property=failure.path, reason=failure.reason) for failure in failures]
    )


def diff_response(
    found: list[tuple[Path, Property, Property]], replaces: Callable[[Path], bool]
) -> provider_pb2.DiffResponse:
    """The differences as a DiffResponse.

    The engine would show a change without a detailed diff as "changed, no properties", so both are always filled.
    """
    if not found:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE, hasDetailedDiff=True)
    collapsed = [
        (path[:1], True, True) if path[0] in JSON_TEXTS else (path, old is not None, new is not None)
        for path, old, new in found
    ]
    detailed = {
        render_path(path): provider_pb2.PropertyDiff(kind=_kind(had, has, replaces(path)), inputDiff=True)
        for path, had, has in collapsed
    }
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        diffs=sorted({str(path[0]) for path, _, _ in found}),
        replaces=sorted({render_path(path) for path, _, _ in found if replaces(path)}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def _kind(had: bool, has: bool, replacing: bool) -> "provider_pb2.PropertyDiff.Kind.ValueType":  # noqa: FBT001
    if not had:
        return Kind.ADD_REPLACE if replacing else Kind.ADD
    if not has:
        return Kind.DELETE_REPLACE if replacing else Kind.DELETE
    return Kind.UPDATE_REPLACE if replacing else Kind.UPDATE
