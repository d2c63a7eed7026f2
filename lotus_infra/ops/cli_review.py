"""The commands of `lotus` for pull requests: they parse and print, and do nothing else."""

import json
import sys
from pathlib import Path

import click

from lotus_infra.ops.cli_options import DBT, JSON, OUTPUT, STREAMS

PREVIEW = click.option(
    "--preview",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The output of `pulumi preview --json`, or its events.",
)
LABEL = click.option("--label", "labels", multiple=True, help="A label that the pull request carries; may be repeated.")
STACK = click.option("--stack", help="The stack; else the one that the preview names.")


@click.command()
@PREVIEW
@LABEL
@click.option("--airbyte", is_flag=True, help="Ask the stack's Airbyte how many rows earlier jobs brought.")
@OUTPUT
@STACK
@STREAMS
@DBT
@JSON
def comment(
    preview: Path,
    labels: tuple[str, ...],
    output: Path | None,
    stack: str | None,
    *,
    directory: Path,
    dbt: Path | None,
    airbyte: bool,
    as_json: bool,
) -> None:
    """Say in one Markdown comment what a preview would do to data: streams, fields, cursors, rows and models.

    Its first line is a hidden marker by which the comment is found again. A preview that failed makes a comment too.

    Example: lotus comment --preview preview.json --output comment.md
    """
    from lotus_infra.ops.comment_view import render  # noqa: PLC0415
    from lotus_infra.ops.files import write  # noqa: PLC0415
    from lotus_infra.ops.review import Request, reviewed  # noqa: PLC0415
    from lotus_infra.ops.review_document import comment_document  # noqa: PLC0415

    review = reviewed(Request(preview, directory, stack, labels), dbt=dbt, airbyte=airbyte)
    markdown = render(review)
    if output is not None:
        write(output, markdown)
    if as_json:
        click.echo(json.dumps(comment_document(review, markdown), indent=2))
    else:
        click.echo(output if output is not None else markdown, nl=output is not None)


@click.command()
@PREVIEW
@LABEL
@STACK
@STREAMS
@JSON
def gate(preview: Path, labels: tuple[str, ...], stack: str | None, directory: Path, *, as_json: bool) -> None:
    """Exit with 1 if a preview deletes something, loses a cursor or landed rows, and nobody agreed to that.

    It is agreed to by the label `accepts-data-loss`, or object by object in the stack's `lotus:acknowledge`. A preview
    that failed never passes.

    Example: lotus gate --preview preview.json --label accepts-data-loss
    """
    from lotus_infra.ops.gate_view import render  # noqa: PLC0415
    from lotus_infra.ops.review import Request, judged  # noqa: PLC0415
    from lotus_infra.ops.review_document import gate_document  # noqa: PLC0415

    review = judged(Request(preview, directory, stack, labels))
    click.echo(json.dumps(gate_document(review), indent=2) if as_json else render(review), nl=as_json)
    if not review.gate.ok:
        sys.exit(1)
