"""`lotus deploy`: apply a reviewed plan and nothing else; refuse if the files, the state or Airbyte have changed since.

All checks precede the first write. The last one is the engine's own: in the preview that precedes each `up`, it checks
that the program still fits the plan.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import click

from lotus_infra.clients.git import Checkout
from lotus_infra.clients.pulumi import Engine, last_applied
from lotus_infra.clients.state import state_fingerprint
from lotus_infra.commands.gate import render_gate
from lotus_infra.commands.options import JSON, LABEL, STACK, STREAMS, YES, confirmed
from lotus_infra.commands.preview import (
    PREVIEW_FILE,
    SavedPlan,
    as_document,
    engine_for,
    render,
    run_preview,
    save_plan,
)
from lotus_infra.commands.review import ReviewRequest, review_losses
from lotus_infra.commands.up import apply
from lotus_infra.errors import LotusError
from lotus_infra.plan.preview import changed_since_review

PREVIEW_AGAIN: Final = "preview again, review it, and deploy that"


@click.command()
@click.option(
    "--reviewed", type=click.Path(path_type=Path, file_okay=False), help="The folder that `lotus preview` wrote."
)
@click.option(
    "--supersede", default="", metavar="COMMIT", help="The last applied commit, if this deploy may replace it."
)
@LABEL
@YES
@STACK
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
    """Deploy the checked-out commit to a stack.

    With --reviewed, applies the saved plan only. Refuses, before anything is written, if the files, the stack's state
    or Airbyte have changed since the review, or if a newer commit was applied already. Without --reviewed it previews,
    and asks. Both stop if data would be lost or exposed without an acknowledgement: the labels of now and the
    checked-out stack's file count, not those of the review.

    Example: lotus deploy --stack prod --reviewed .review/prod
    """
    # With --json, standard output has the document only.
    deployment = Deployment.of(directory, stack, supersede, aside=as_json)
    with checked_plan(deployment, reviewed, labels) as plan:
        click.echo(render(plan), err=True)
        if not confirmed(f"Apply it to {deployment.engine.stack}", yes=yes):
            sys.exit(1)
        exit_code = deployment.apply(plan, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(as_document(plan) | {"ok": exit_code == 0}, indent=2))
    sys.exit(exit_code)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack, and the clone to deploy to it.

    Attributes:
        engine: The engine, with a stack selected.
        checkout: The clone.
        lake: The lake's folder.
        supersede: The start of the last applied commit, if it may be replaced without being in the clone's history.
    """

    engine: Engine
    checkout: Checkout
    lake: Path
    supersede: str = ""

    @classmethod
    def of(cls, directory: Path, stack: str | None, supersede: str = "", *, aside: bool = False) -> Self:
        """Select the stack, and read the clone around a lake's folder.

        Args:
            directory: The lake's folder.
            stack: The stack; by default that of `$PULUMI_STACK`, or the only one of the project.
            supersede: The start of the last applied commit, if it may be replaced.
            aside: Print the engine's output of `up` to standard error.

        Raises:
            LotusError: No stack is selected, or there is no project or clone.
        """
        engine = engine_for(directory, stack, aside=aside)
        return cls(engine, Checkout.at(engine.project.folder), directory, supersede)

    def check_commit(self) -> None:
        """Check that the last applied commit is in the clone's history, so that a deploy undoes nothing.

        Raises:
            LotusError: The clone's commit is older, or on another branch; uncommitted changes would go to production.
        """
        if self.checkout.dirty and self.engine.project.run(self.engine.stack_name).is_production:
            raise LotusError(f"uncommitted changes, and {self.engine.stack} is production", "commit them first")
        applied = last_applied(self.engine)
        if applied is None or (self.supersede and applied.startswith(self.supersede)):
            return
        relation = self.checkout.relation(applied)
        if relation == "later":
            what = f"the deployed commit {applied[:12]} is newer than {self.checkout.commit[:12]}"
            raise LotusError(what, "deploy the newest commit; to undo one, `git revert` it and deploy that")
        if relation == "unrelated":
            what = f"the deployed commit {applied[:12]} is not in the history of the checked-out commit"
            how = "run `git fetch --unshallow`, merge the deployed commit, or pass --supersede"
            raise LotusError(what, f"{how} {applied[:12]}")

    def check_reviewed(self, plan: SavedPlan, labels: Sequence[str]) -> None:
        """Check that a saved plan still describes the changes, and that the gate lets them pass.

        Args:
            plan: The saved plan.
            labels: The labels that accept losses now; a label of the review may have been removed since.

        Raises:
            LotusError: The stack, the files, the state or live objects differ from those at the review; or data would
                be lost.
        """
        origin, here = plan.origin, self.checkout
        if origin.stack != self.engine.stack:
            raise LotusError(
                f"the plan is for the stack {origin.stack}, not {self.engine.stack}",
                f"pass --stack {origin.stack}, or a plan of {self.engine.stack}",
            )
        if here.dirty:
            raise LotusError("uncommitted changes, which were not reviewed", "commit or stash them")
        # The tree, not the commit: a merge or squash of the reviewed files is another commit of the same files.
        if origin.tree != here.tree:
            what = f"the files of {here.commit[:12]} differ from those reviewed, of {origin.commit[:12]}"
            raise LotusError(what, PREVIEW_AGAIN)
        self.check_commit()
        # The clone has the reviewed files by now, so its stack's file has the acknowledgements that were reviewed.
        self.check_losses(plan.folder, labels)
        if origin.state != state_fingerprint(self.engine.output("stack", "export")):
            raise LotusError(f"the state of {origin.stack} has changed since the review", PREVIEW_AGAIN)
        # The engine's plan has new values only, so it would overwrite a change that someone made since the review.
        with tempfile.TemporaryDirectory() as folder:
            changed = changed_since_review(plan.preview, run_preview(self.engine, file=Path(folder, PREVIEW_FILE)))
            if changed:
                raise LotusError(f"the changes differ from those reviewed: {', '.join(changed)}", PREVIEW_AGAIN)
            self.check_losses(Path(folder), labels)

    def check_losses(self, folder: Path, labels: Sequence[str]) -> None:
        """Check that a preview loses only data whose loss is acknowledged.

        Args:
            folder: The folder of the preview's file.
            labels: The labels that accept losses.

        Raises:
            LotusError: It would lose other data; the message lists all losses.
        """
        review = review_losses(ReviewRequest(folder / PREVIEW_FILE, self.lake, self.engine.stack, labels))
        if not review.gate.ok:
            what = "data would be lost or exposed without an acknowledgement; labels count as they are now"
            raise LotusError(f"{what}\n{click.unstyle(render_gate(review))}")

    def apply(self, plan: SavedPlan, print_line: Callable[[str], None]) -> int:
        """Apply a plan; returns the engine's exit code."""
        return apply(self.engine, self.lake, ("--yes", "--refresh", "--plan", str(plan.engine_plan)), print_line)


@contextmanager
def checked_plan(deployment: Deployment, reviewed: Path | None, labels: Sequence[str] = ()) -> Iterator[SavedPlan]:
    """Yield the plan to apply after all checks: a reviewed one, or one of a preview that is made now.

    Raises:
        LotusError: A check fails.
    """
    if reviewed is not None:
        plan = SavedPlan.load(reviewed)
        deployment.check_reviewed(plan, labels)
        yield plan
        return
    deployment.check_commit()
    with tempfile.TemporaryDirectory() as folder:
        plan = save_plan(deployment.engine, deployment.checkout, Path(folder))
        deployment.check_losses(plan.folder, labels)
        yield plan
