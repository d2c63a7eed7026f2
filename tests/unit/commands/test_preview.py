"""The reasons of a failed preview."""

import pytest

from lotus_infra.commands import preview
from lotus_infra.plan.preview import EngineMessage, Preview

PARENTS = "urn:pulumi:prod::lotus::lotus:dagster:Dagster$lotus:dagster:Database$"


@pytest.mark.parametrize(
    ("type_", "name", "line"),
    [
        ("postgresql.cnpg.io/v1:Cluster", "ducklake-db", "Cluster ducklake-db"),
        ("core/v1:Secret", "ducklake-db-credentials", "Secret ducklake-db-credentials"),
    ],
)
def test_a_protected_part_of_a_database_has_the_line_that_acknowledges_its_replacement(
    type_: str, name: str, line: str
) -> None:
    urn = f"{PARENTS}kubernetes:{type_}::{name}"
    message = f'unable to replace resource "{urn}"\nas it is currently marked for protection.'

    reasons = preview._reasons(Preview(diagnostics=(EngineMessage(severity="error", message=message),)))

    assert f'to replace {line}, add "{line}" to lotus:acknowledge in the stack\'s file' in reasons
    assert "docs/runbooks/restore-a-database.md" in reasons
