"""`lotus drift` on the command line: it parses and prints, and does nothing else."""

import json
import sys
from pathlib import Path
from typing import Literal

import click

from lotus_infra.ops.cli_options import JSON, OUTPUT, STREAMS


@click.command()
@click.option("--stack", help="The stack; else $PULUMI_STACK, else the selected one.")
@click.option(
    "--patch", "patching", is_flag=True, help="Print a patch of the lake's files that takes the changes over."
)
@click.option(
    "--format", "kind", type=click.Choice(["text", "markdown"]), default="text", help="Markdown has the patch in it."
)
@OUTPUT
@STREAMS
@JSON
def drift(
    stack: str | None,
    kind: Literal["text", "markdown"],
    output: Path | None,
    directory: Path,
    *,
    patching: bool,
    as_json: bool,
) -> None:
    """Say where code, the state and Airbyte differ, field by field; exit with 1 if code and Airbyte do.

    With --patch, what was changed in Airbyte becomes a patch of the lake's files, and the exit code says whether it is
    all there is to do. What no file can say is told beside it. Nothing is changed.

    Example: lotus drift --stack prod --patch | git apply
    """
    from lotus_infra.ops import drift_view as view  # noqa: PLC0415
    from lotus_infra.ops.drift import look  # noqa: PLC0415
    from lotus_infra.ops.drift_patch import patch_of  # noqa: PLC0415

    found = look(directory, stack)
    patch = patch_of(found, directory) if patching or (kind == "markdown" and not as_json) else None
    if as_json:
        text = json.dumps(view.as_document(found, patch), indent=2) + "\n"
    elif patching and patch is not None:
        text = patch.text
        click.echo(
            view.left_lines(patch) or ("" if patch.text else "There is nothing to take over.\n"), nl=False, err=True
        )
    else:
        text = view.render(found) if patch is None else view.markdown(found, patch)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_bytes(text.encode(errors="backslashreplace"))
    if not (patch.ok if patching and patch is not None else found.ok):
        sys.exit(1)
