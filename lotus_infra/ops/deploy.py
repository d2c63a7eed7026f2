"""`lotus deploy`: apply what was reviewed, and nothing else; refuse where the files, the state or Airbyte have moved.

Nothing is written before every check has passed; the engine's own, that the program still fits the plan, is its last,
in the preview that comes before each `up`.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lotus_infra.changes.moved import moved
from lotus_infra.errors import LotusError
from lotus_infra.ops.applied import last_applied
from lotus_infra.ops.engine import Engine
from lotus_infra.ops.gate_view import render
from lotus_infra.ops.preview import PREVIEW, Reviewed, fingerprint, preview, previewed
from lotus_infra.ops.repository import Checkout
from lotus_infra.ops.review import Request, judged
from lotus_infra.ops.up import apply

AGAIN: Final = "preview again, look at it, and deploy that"
Tell = Callable[[str], None]


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
            LotusError: it is not clear which stack is meant, or this is no clone or project.
        """
        found = Engine.around(directory, stack)
        names = found.project.meant(stack, found.environment)
        if len(names) != 1:
            choices = ", ".join(f"--stack {name}" for name in names) or "the project has no stacks yet"
            raise LotusError("which stack is meant is not clear", choices)
        # The whole name, where one was given: the file is named by its last part alone.
        engine = replace(found, stack=stack or names[0], aside=aside)
        return cls(engine, Checkout.at(found.project.folder), directory, supersede)

    def check(self) -> None:
        """Refuse a commit that is older than what was applied last, or made beside it.

        Raises:
            LotusError: it is, or what is checked out is not whole.
        """
        if self.checkout.dirty and self.engine.project.run(self.engine.named).is_production:
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
        if review.state != fingerprint(self.engine.asked("stack", "export")):
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
        made = preview(deployment.engine, deployment.checkout, Path(folder))
        loss = judged(Request(made.folder / PREVIEW, deployment.lake, deployment.engine.stack, labels))
        if not loss.gate.ok:
            raise LotusError(f"it loses data that nobody agreed to\n{render(loss)}")
        yield made
