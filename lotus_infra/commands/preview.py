"""`lotus preview`: what is reviewed, as a folder: what would be done, the plan that holds the engine to it, of what.

The folder has `preview.json` (as `pulumi preview --json` prints it), `plan.json` (secrets are encrypted in it as in the
state) and `review.json`. A preview that failed leaves `preview.json` alone, which says why.
"""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from lotus_infra.clients.git import Checkout
from lotus_infra.clients.pulumi import Engine
from lotus_infra.clients.state import state_fingerprint
from lotus_infra.commands.options import JSON, ONE_STACK, STREAMS
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import printable
from lotus_infra.plan.preview import Preview, Step, read

PREVIEW: Final = "preview.json"
PLAN: Final = "plan.json"
REVIEW: Final = "review.json"
FOLDER: Final = Path(".review")
"""Where reviews lie by default, each in a folder of its stack's name; git ignores it."""
SIGNS: Final = {"create": "+", "delete": "-", "update": "~", "import": "="}


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
    engine = engine_for(directory, stack)
    checkout = Checkout.at(engine.project.folder)
    if checkout.dirty:
        raise LotusError("some changes are not committed", "commit them: a review is of a commit")
    folder = output or engine.project.folder / FOLDER / engine.stack
    made = preview_stack(engine, checkout, folder)
    click.echo(json.dumps(as_document(made), indent=2) if as_json else render(made))


class Review(BaseModel):
    """Of what a preview was made.

    Attributes:
        stack: the stack.
        commit: the commit that was checked out; after a merge, another one has the same tree.
        tree: git's hash of all files of the commit.
        state: fingerprint of the stack's state.
        engine: version of the engine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str
    commit: str
    tree: str
    state: str
    engine: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A folder that `lotus preview` wrote.

    Attributes:
        folder: the folder.
        review: of what it is.
        preview: what would be done.
    """

    folder: Path
    review: Review
    preview: Preview

    @property
    def plan(self) -> Path:
        """The engine's plan."""
        return (self.folder / PLAN).absolute()

    @classmethod
    def at(cls, folder: Path) -> "Reviewed":
        """Read a folder.

        Raises:
            LotusError: it is not one of a whole preview.
        """
        try:
            review = Review.model_validate_json((folder / REVIEW).read_bytes())
            preview = read((folder / PREVIEW).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):
            raise LotusError(f"{folder} has no whole review", "make one with `lotus preview`") from None
        if not preview.complete or not (folder / PLAN).is_file():
            raise LotusError(f"the preview in {folder} is not complete", "make it anew with `lotus preview`")
        return cls(folder, review, preview)


def engine_for(directory: Path, stack: str | None, *, aside: bool = False) -> Engine:
    """The engine of the project around a lake's folder, with a stack selected.

    Args:
        directory: the lake's folder.
        stack: the stack; else that of `$PULUMI_STACK`, else the only one of the project.
        aside: whether what the engine shows goes to standard error.

    Raises:
        LotusError: no stack is selected, or this is no project.
    """
    found = Engine.around(directory, stack)
    name = found.project.select(stack, found.environment)
    # Keep a full name, `organization/project/prod`: the stack's file has its last part alone.
    return replace(found, stack=stack or name, up_to_stderr=aside)


def preview_stack(engine: Engine, checkout: Checkout, folder: Path) -> Reviewed:
    """Preview a stack after a look at what is live, and keep what was seen.

    Args:
        engine: the engine, with its stack named.
        checkout: the clone that is previewed.
        folder: where to write; what an earlier preview left there goes.

    Raises:
        LotusError: the preview fails; the folder then says why.
    """
    state, version = state_fingerprint(engine.output("stack", "export")), engine.version()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    for name in (PREVIEW, PLAN, REVIEW):
        (folder / name).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        plan = Path(unfinished, PLAN).absolute()
        text = previewed(engine, folder / PREVIEW, "--save-plan", str(plan))
        plan.replace(folder / PLAN)
    review = Review(stack=engine.stack, commit=checkout.commit, tree=checkout.tree, state=state, engine=version)
    (folder / REVIEW).write_text(review.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return Reviewed(folder, review, text)


def previewed(engine: Engine, file: Path | None = None, *arguments: str) -> Preview:
    """What a run would do now, by the engine, which looks at what is live first; its own text goes into a file.

    Raises:
        LotusError: the preview fails.
    """
    ran = engine.run("preview", "--json", "--refresh", *arguments)
    try:
        found = read(ran.stdout)
    except LotusError:
        raise LotusError(f"the preview failed: {ran.reason}") from None
    if file is not None:
        file.write_text(ran.stdout, encoding="utf-8")
    if ran.exit_code != 0 or not found.complete:
        raise LotusError(f"the preview failed: {'; '.join(found.errors) or ran.reason}")
    return found


def render(reviewed: Reviewed) -> str:
    """The review for a terminal."""
    review, steps = reviewed.review, _changing(reviewed)
    head = f"{review.stack} at {review.commit[:12]}: {len(steps)} to do" if steps else f"{review.stack}: nothing to do"
    lines = [f" {SIGNS.get(step.op, '±')} {step.op:<8} {_kind(step)} {printable(step.name)}" for step in steps]
    return "\n".join([head, *lines, f"reviewed in {printable(str(reviewed.folder))}"])


def as_document(reviewed: Reviewed) -> dict[str, JsonValue]:
    """The review as JSON."""
    steps: list[JsonValue] = [{"op": step.op, "type": step.type, "name": step.name} for step in _changing(reviewed)]
    return {"ok": True, **reviewed.review.model_dump(), "folder": str(reviewed.folder), "steps": steps}


def _changing(reviewed: Reviewed) -> list[Step]:
    return [step for step in reviewed.preview.steps if not step.quiet]


def _kind(step: Step) -> str:
    return step.type.rsplit(":", maxsplit=1)[-1]
