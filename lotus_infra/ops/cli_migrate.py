"""The command of `lotus` that takes over what exists: it parses and prints, and does nothing else."""

import json
import sys
from pathlib import Path

import click

from lotus_infra.ops.cli_options import JSON, STACK


@click.command()
@click.option(
    "--from",
    "origin",
    required=True,
    metavar="live|FILE",
    help="The live workspace, or the FILE of a Terraform or OpenTofu state: terraform.tfstate, or show -json's.",
)
@click.option("--workspace", "workspace_id", default="", help="The id of the workspace; by default the stack's.")
@click.option(
    "--into",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("streams"),
    show_default=True,
    help="The lake's folder, which need not be there yet.",
)
@click.option(
    "--imports",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("import.json"),
    show_default=True,
    help="The FILE to write for `pulumi import --file`.",
)
@click.option("--offline", is_flag=True, help="Ask no Airbyte: read a Terraform state alone.")
@click.option("--yes", "--write", "confirmed", is_flag=True, help="Write what the plan says.")
@STACK
@JSON
def migrate(
    origin: str,
    workspace_id: str,
    directory: Path,
    imports: Path,
    stack: str | None,
    *,
    offline: bool,
    confirmed: bool,
    as_json: bool,
) -> None:
    """Write stream files and an import file for what exists in Airbyte, whether Terraform made it or somebody else.

    Without --yes it shows what it would write, what Pulumi is to import, what can't be taken over, and why. Airbyte is
    only read. Files that exist stay as they are, and secrets become references: their values go into no file.

    Example: lotus migrate --from terraform.tfstate --stack prod
    """
    from lotus_infra.ops import migrate_view as view  # noqa: PLC0415
    from lotus_infra.ops.migrate import LIVE, Order, carry_out, prepare  # noqa: PLC0415

    if offline and origin == LIVE:
        raise click.UsageError("--offline reads a Terraform state: name its file with --from")
    migration = prepare(Order(origin, directory, imports, stack, workspace_id, offline))
    if confirmed and not migration.refused:
        migration = carry_out(migration)
    click.echo(json.dumps(view.as_document(migration), indent=2) if as_json else view.render(migration), nl=as_json)
    if migration.refused:
        sys.exit(1)
