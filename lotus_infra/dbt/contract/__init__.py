"""The field contract: what the streams bring in, and what the dbt project reads of it, agree.

Each rule is a small pure function from both sides to its findings. A rule tells only what is certain; what can't be
told from a model's text is a notice, made where the text is read.
"""

from collections.abc import Iterator

from lotus_infra.dbt.contract import entries, fields, models
from lotus_infra.dbt.contract.joined import Joined, Rule
from lotus_infra.dbt.parts import Project
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.lake import Lake

LAKE_RULES: tuple[Rule, ...] = (models.streams_have_models,)
"""Rules whose findings are in the lake's files."""

PROJECT_RULES: tuple[Rule, ...] = (
    fields.fields_are_selected,
    fields.members_are_declared,
    fields.columns_are_declared,
    fields.parts_have_columns,
    entries.entries_have_streams,
    entries.columns_are_selected,
    entries.prefixes_agree,
    entries.descriptions_have_models,
    models.models_have_streams,
    models.models_read_one_stream,
    models.tags_are_the_streams,
    models.models_are_in_place,
    models.keys_and_cursors_agree,
)
"""Rules whose findings are in the dbt project's files."""


def findings_in_lake(joined: Joined) -> Iterator[Diagnostic]:
    """What is wrong, or worth a notice, in the lake's files."""
    for rule in LAKE_RULES:
        yield from rule(joined)


def findings_in_project(joined: Joined) -> Iterator[Diagnostic]:
    """What is wrong, or worth a notice, in the dbt project's files."""
    yield from joined.project.findings
    for rule in PROJECT_RULES:
        yield from rule(joined)


def join(lake: Lake, project: Project) -> Joined:
    """Put both sides next to each other."""
    return Joined.of(lake, project)
