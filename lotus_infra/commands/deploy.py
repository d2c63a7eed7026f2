"""`lotus deploy`: apply what was reviewed, and nothing else; refuse where the files, the state or Airbyte have moved.

Nothing is written before every check has passed; the engine's own, that the program still fits the plan, is its last,
in the preview that comes before each `up`.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from lotus_infra.clients.git import Checkout
from lotus_infra.clients.pulumi import Engine, last_applied
from lotus_infra.clients.state import state_fingerprint
from lotus_infra.commands.gate import render_gate
from lotus_infra.commands.options import JSON, ONE_STACK, STREAMS, YES, agreed
from lotus_infra.commands.preview import (
    PREVIEW,
    Reviewed,
    as_document,
    engine_for,
    preview_stack,
    previewed,
    render,
)
from lotus_infra.commands.review import Request, judged
from lotus_infra.commands.up import apply
from lotus_infra.errors import LotusError
from lotus_infra.plan.preview import moved

AGAIN: Final = "preview again, look at it, and deploy that"
Tell = Callable[[str], None]


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
    meant = Deployment.of(directory, stack, supersede, aside=as_json)
    with checked(meant, reviewed, labels) as plan:
        click.echo(render(plan), err=True)
        if not agreed(f"Apply it to {meant.engine.stack}", yes=yes):
            sys.exit(1)
        code = meant.apply(plan, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(as_document(plan) | {"ok": code == 0}, indent=2))
    sys.exit(code)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack and the clone that it is to be brought to.

    Attributes:
        engine: the engine, with its stack named.
        checkout: the clone.
        lake: the lake's folder.
        supersede: the start of the commit that may be undone although it is not in the clone's history.
    """

    engine: Engine
    checkout: Checkout
    lake: Path
    supersede: str = ""

    @classmethod
    def of(cls, directory: Path, stack: str | None, supersede: str = "", *, aside: bool = False) -> "Deployment":
        """The stack that is meant, in the clone around a lake's folder.

        Args:
            directory: the lake's folder.
            stack: the stack; else that of `$PULUMI_STACK`, else the only one of the project.
            supersede: the commit that may be undone.
            aside: whether what the engine shows goes to standard error.

        Raises:
            LotusError: no stack is selected, or this is no clone or project.
        """
        engine = engine_for(directory, stack, aside=aside)
        return cls(engine, Checkout.at(engine.project.folder), directory, supersede)

    def check(self) -> None:
        """Refuse a commit that is older than what was applied last, or made beside it.

        Raises:
            LotusError: it is, or what is checked out is not whole.
        """
        if self.checkout.dirty and self.engine.project.run(self.engine.stack_name).is_production:
            raise LotusError(
                f"some changes are not committed, and {self.engine.stack} is production", "commit them first"
            )
        applied = last_applied(self.engine)
        if applied is None or (self.supersede and applied.startswith(self.supersede)):
            return
        relation = self.checkout.relation(applied)
        if relation == "later":
            what = f"the stack has {applied[:12]} already, which is newer than {self.checkout.commit[:12]}"
            raise LotusError(what, "deploy the newest commit; to undo one, `git revert` it and deploy that")
        if relation == "unrelated":
            what = f"the stack was brought to {applied[:12]} last, which is not in the history of what is checked out"
            how = "`git fetch --unshallow`, merge it, or say that it may be undone: --supersede"
            raise LotusError(what, f"{how} {applied[:12]}")

    def check_review(self, reviewed: Reviewed) -> None:
        """Refuse to apply what is not what was reviewed.

        Raises:
            LotusError: the stack, the files, the state or the world are others than at the review.
        """
        review, here = reviewed.review, self.checkout
        if review.stack != self.engine.stack:
            raise LotusError(f"the review is of the stack {review.stack}, not of {self.engine.stack}", "name its own")
        if here.dirty:
            raise LotusError("some changes are not committed, and nobody reviewed them", "commit or stash them")
        if review.tree != here.tree:
            what = f"the files of {here.commit[:12]} are not those that were reviewed, of {review.commit[:12]}"
            raise LotusError(what, AGAIN)
        self.check()
        if review.state != state_fingerprint(self.engine.output("stack", "export")):
            raise LotusError(f"the state of {review.stack} has moved since the review", AGAIN)
        others = moved(reviewed.preview, previewed(self.engine))
        if others:
            raise LotusError(f"what would be done is not what was reviewed: {', '.join(others)}", AGAIN)

    def apply(self, reviewed: Reviewed, tell: Tell) -> int:
        """Apply a plan; gives the engine's exit code."""
        arguments = ("--yes", "--refresh", "--plan", str(reviewed.plan))
        return apply(self.engine, self.lake, arguments, tell)


@contextmanager
def checked(deployment: Deployment, reviewed: Path | None, labels: Sequence[str] = ()) -> Iterator[Reviewed]:
    """What may be applied, after every check: what lies in a folder, or else a preview that is made now.

    A preview that is made now has to pass the gate; one that was reviewed did, before it was merged.

    Raises:
        LotusError: it may not.
    """
    if reviewed is not None:
        found = Reviewed.at(reviewed)
        deployment.check_review(found)
        yield found
        return
    deployment.check()
    with tempfile.TemporaryDirectory() as folder:
        made = preview_stack(deployment.engine, deployment.checkout, Path(folder))
        loss = judged(Request(made.folder / PREVIEW, deployment.lake, deployment.engine.stack, labels))
        if not loss.gate.ok:
            raise LotusError(f"it loses data that nobody agreed to\n{render_gate(loss)}")
        yield made
