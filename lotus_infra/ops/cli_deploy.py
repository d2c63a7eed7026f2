"""The commands of `lotus` that preview a stack for a review and apply what was reviewed."""

import json
import sys
from pathlib import Path

import click

from lotus_infra.ops.cli_options import JSON, ONE_STACK, STREAMS, YES, agreed


@click.command()
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="A FOLDER; else .review/<stack>.")
@ONE_STACK
@STREAMS
@JSON
def preview(directory: Path, stack: str | None, output: Path | None, *, as_json: bool) -> None:
    """Preview a stack and keep what was seen, for a review and for `lotus deploy --reviewed`.

    Writes preview.json (as `pulumi preview --json` prints it), plan.json and review.json into a folder. What is live is
    looked at first. The files must be committed: a review is of a commit.

    Example: lotus preview --stack prod
    """
    from lotus_infra.errors import LotusError  # noqa: PLC0415
    from lotus_infra.ops import deploy_view as view  # noqa: PLC0415
    from lotus_infra.ops import preview as previews  # noqa: PLC0415
    from lotus_infra.ops.deploy import Deployment  # noqa: PLC0415

    meant = Deployment.of(directory, stack)
    if meant.checkout.dirty:
        raise LotusError("some changes are not committed", "commit them: a review is of a commit")
    folder = output or meant.engine.project.folder / previews.FOLDER / meant.engine.stack
    made = previews.preview(meant.engine, meant.checkout, folder)
    click.echo(json.dumps(view.as_document(made), indent=2) if as_json else view.render(made))


@click.command()
@click.option("--reviewed", type=click.Path(path_type=Path, file_okay=False), help="The FOLDER of `lotus preview`.")
@click.option("--supersede", default="", metavar="COMMIT", help="The commit that was applied last, and may be undone.")
@click.option("--label", "labels", multiple=True, help="A label that agrees to losing data, as `lotus gate` has it.")
@ONE_STACK
@YES
@STREAMS
@JSON
def deploy(
    directory: Path,
    reviewed: Path | None,
    supersede: str,
    labels: tuple[str, ...],
    stack: str | None,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Bring a stack to the commit that is checked out; with --reviewed, only by what was reviewed.

    Refuses before anything is written where the files, the stack's state or Airbyte are others than at the review, and
    where a newer commit was applied already. Without --reviewed it previews, stops where data would be lost, and asks.

    Example: lotus deploy --stack prod --reviewed .review/prod
    """
    from lotus_infra.ops import deploy_view as view  # noqa: PLC0415
    from lotus_infra.ops.deploy import Deployment, checked  # noqa: PLC0415

    meant = Deployment.of(directory, stack, supersede, aside=as_json)
    with checked(meant, reviewed, labels) as plan:
        click.echo(view.render(plan), err=True)
        if not agreed(f"Apply it to {meant.engine.stack}", yes=yes):
            sys.exit(1)
        code = meant.apply(plan, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(view.as_document(plan) | {"ok": code == 0}, indent=2))
    sys.exit(code)
