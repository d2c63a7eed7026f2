"""Reads what a stack says of Dagster: every mistake at once, each with key, reason and remedy."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from lotus_infra.chart.check import check_values
from lotus_infra.cluster.extra import conflicts, merged
from lotus_infra.cluster.kinds import Part, Values
from lotus_infra.cluster.settings import DagsterSettings, Off
from lotus_infra.cluster.values import Surroundings, chart_values
from lotus_infra.errors import LotusError
from lotus_infra.streams.problems import JsonPath, field_name, suggestion

KEY = "lotus:dagster"
EXTRA = f"{KEY}.extraValues"
_SHOULD = re.compile(r"(Input|String|Value) should")


def read(document: object) -> DagsterSettings | None:
    """What the stack says, or None where it says that there is no Dagster.

    Raises:
        LotusError: Anything in it is wrong.
    """
    if not isinstance(document, dict):
        raise LotusError(
            f"{KEY}: is no object", f"pulumi config set --path {KEY}.deploy false, or edit the stack's file"
        )
    model = DagsterSettings if document.get("deploy") is not False else Off
    try:
        settings = model.model_validate(document)
    except ValidationError as error:
        raise LotusError("\n".join(_told(found, model) for found in error.errors())) from None
    return settings if isinstance(settings, DagsterSettings) else None


def release_values(settings: DagsterSettings, around: Surroundings) -> Values:
    """The values of the release, `extraValues` among them.

    Raises:
        LotusError: `extraValues` has what the chart does not, or what the settings give already.
    """
    values, extra = chart_values(settings, around), settings.extra_values
    problems = [*check_values(extra), *conflicts(values, extra)]
    if problems:
        raise LotusError("\n".join(f"{EXTRA}.{problem}" for problem in problems))
    made = merged(values, extra)
    misfits = check_values(made)
    if misfits:
        raise LotusError("\n".join(f"{KEY}: the chart's value {problem}" for problem in misfits))
    return made


def _told(found: Any, root: type[Part]) -> str:
    """One mistake: `lotus:dagster.ingress.host: is missing: add it`."""
    steps: Sequence[str | int] = found["loc"]
    path, models = _followed(steps, root)
    # pydantic's own mark of a map's key that is wrong, after the key.
    key, kind = field_name((KEY, *(step for step in path if step != "[key]"))), found["type"]
    if kind == "extra_forbidden":
        known = sorted({field.alias or name for model in models for name, field in model.model_fields.items()})
        remedy = suggestion(str(steps[-1]), known, f"the keys here are {', '.join(known)}")
        return f"{key}: is no key here: {remedy}"
    if kind == "missing":
        return f"{key}: is missing: add it"
    if kind == "value_error":
        return f"{key}: {found['msg'].removeprefix('Value error, ')}"
    if kind == "union_tag_invalid":
        return f"{key}.kind: is nothing that is known: write one of {found['ctx']['expected_tags']}"
    return f"{key}: does not fit: {_SHOULD.sub('it should', found['msg'])}"


def _followed(steps: Sequence[str | int], root: type[Part]) -> tuple[JsonPath, list[type[Part]]]:
    """The keys that somebody wrote, and the models that say what may be beside the last of them.

    Where a value may be of several kinds, pydantic puts the name of the one that was meant between its keys.
    """
    path: JsonPath = ()
    here, below = [root], [root]
    for step in steps:
        kinds = [model for model in below if step in get_args(_kind(model))]
        if kinds and len(below) > 1:
            below = kinds
            continue
        path, here, below = (*path, step), below, _below(below, step)
    return path, here


def _kind(model: type[Part]) -> object:
    kind = model.model_fields.get("kind")
    return kind.annotation if kind is not None else None


def _below(models: Sequence[type[Part]], step: str | int) -> list[type[Part]]:
    """The models that a key of others, or an index of a list, may hold."""
    if isinstance(step, int):
        return list(models)
    fields = [(field.alias or name, field.annotation) for model in models for name, field in model.model_fields.items()]
    return [inner for name, annotation in fields if name == step for inner in _models(annotation)]


def _models(annotation: object) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if issubclass(annotation, Part):
            yield annotation
        return
    for inner in get_args(annotation):
        yield from _models(inner)
