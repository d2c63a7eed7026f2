"""`lotus preview`: preview a commit on a stack and save the plan, for a review and for `lotus deploy --reviewed`.

The plan's folder has three files: `preview.json`, as `pulumi preview --json` prints it; `plan.json`, which limits the
engine to the reviewed changes, with secrets encrypted as in the state; and `review.json`, the plan's origin. A failed
preview leaves `preview.json` only, with the errors.
"""

import json
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import click
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from lotus_infra import naming
from lotus_infra.clients.causes import explain_all
from lotus_infra.clients.git import Checkout
from lotus_infra.clients.pulumi import Engine
from lotus_infra.clients.state import state_fingerprint
from lotus_infra.commands.options import JSON, STACK, STREAMS
from lotus_infra.config.database import RUNBOOK
from lotus_infra.config.stack import ACKNOWLEDGE_KEY
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import escape_unprintable, pluralize
from lotus_infra.plan.preview import Preview, Step, read_preview
from lotus_infra.urns import Urn

FOLDER: Final = Path(".review")
"""The default folder of saved plans, one subfolder a stack."""
PREVIEW_FILE: Final = "preview.json"
PLAN_FILE: Final = "plan.json"
ORIGIN_FILE: Final = "review.json"
_PROTECTED_CONNECTION: Final = re.compile(r'unable to replace resource "[^"\s]*connection:Connection::([^"\s]+)"')
"""The engine's message, which names its own option; the program has another way to end the protection."""
_PROTECTED_DATABASE: Final = re.compile(
    r'unable to replace resource "[^"\s]*lotus:dagster:Database\$kubernetes:[^"\s]*:(\w+)::([^"\s]+)"'
)
_SIGNS: Final = {"create": "+", "delete": "-", "update": "~", "import": "="}


class PlanOrigin(BaseModel):
    """What a saved plan was made from: the content of `review.json`.

    Attributes:
        stack: The stack.
        commit: The checked-out commit; after a merge, another commit has the same tree.
        tree: Git's hash of all files of the commit.
        state: The fingerprint of the stack's state.
        engine: The engine's version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str
    commit: str
    tree: str
    state: str
    engine: str


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A folder that `lotus preview` wrote.

    Attributes:
        folder: The folder.
        origin: What the plan was made from.
        preview: The changes.
    """

    folder: Path
    origin: PlanOrigin
    preview: Preview

    @property
    def engine_plan(self) -> Path:
        """The file of the engine's plan."""
        return (self.folder / PLAN_FILE).absolute()

    @property
    def changes(self) -> list[Step]:
        """The steps that change something."""
        return [step for step in self.preview.steps if not step.quiet]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder.

        Raises:
            LotusError: It has no saved plan, or that of a failed preview.
        """
        incomplete = LotusError(f"no complete saved plan in {folder}", "create one with `lotus preview`")
        try:
            origin = PlanOrigin.model_validate_json((folder / ORIGIN_FILE).read_bytes())
            preview = read_preview((folder / PREVIEW_FILE).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):
            raise incomplete from None
        if not preview.complete or not (folder / PLAN_FILE).is_file():
            raise incomplete
        return cls(folder, origin, preview)


@click.command()
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), help="The folder to write; default: .review/<stack>."
)
@STACK
@STREAMS
@JSON
def preview(directory: Path, stack: str | None, output: Path | None, *, as_json: bool) -> None:
    """Preview a stack into a folder, for a review.

    `lotus deploy --reviewed` applies the saved plan. Writes preview.json (as `pulumi preview --json` prints it),
    plan.json and review.json into a folder. The engine refreshes first, from Airbyte and the other servers. Commit all
    files first: a review is for one commit.

    Example: lotus preview --stack prod
    """
    engine = engine_for(directory, stack)
    checkout = Checkout.at(engine.project.folder)
    if checkout.dirty:
        raise LotusError("uncommitted changes", "commit them: a review is for one commit")
    plan = save_plan(engine, checkout, output or engine.project.folder / FOLDER / engine.stack)
    if as_json:
        click.echo(json.dumps(as_document(plan), indent=2))
    else:
        click.echo(f"{render(plan)}\nsaved in {escape_unprintable(str(plan.folder))}")


def engine_for(directory: Path, stack: str | None, *, aside: bool = False) -> Engine:
    """The engine of the project around a lake's folder, with a stack selected.

    Args:
        directory: The lake's folder.
        stack: The stack; by default that of `$PULUMI_STACK`, or the only one of the project.
        aside: Print the engine's output of `up` to standard error.

    Raises:
        LotusError: No stack is selected, or there is no project.
    """
    found = Engine.around(directory, stack)
    name = found.project.select(stack, found.environment)
    # Keep a full name, `organization/project/prod`: `name` is its last part only, as in the stack's file.
    return replace(found, stack=stack or name, up_to_stderr=aside)


def save_plan(engine: Engine, checkout: Checkout, folder: Path) -> SavedPlan:
    """Preview a stack, after a refresh, and write the folder of its plan.

    Args:
        engine: The engine, with a stack selected.
        checkout: The previewed clone.
        folder: The folder to write; a plan that it had is deleted.

    Raises:
        LotusError: The preview fails; `preview.json` in the folder then has the errors.
    """
    # The state before the preview: if another run changes it meanwhile, the deploy finds another one, and refuses.
    state, version = state_fingerprint(engine.output("stack", "export")), engine.version()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    for name in (PREVIEW_FILE, PLAN_FILE, ORIGIN_FILE):
        (folder / name).unlink(missing_ok=True)
    # A failed preview must leave no plan in the folder, so the file is moved there after a complete one.
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        plan = Path(unfinished, PLAN_FILE).absolute()
        found = run_preview(engine, "--save-plan", str(plan), file=folder / PREVIEW_FILE)
        plan.replace(folder / PLAN_FILE)
    origin = PlanOrigin(stack=engine.stack, commit=checkout.commit, tree=checkout.tree, state=state, engine=version)
    (folder / ORIGIN_FILE).write_text(origin.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return SavedPlan(folder, origin, found)


def run_preview(engine: Engine, *arguments: str, file: Path | None = None) -> Preview:
    """Run `pulumi preview --refresh`, and parse its output.

    Args:
        engine: The engine, with a stack selected.
        arguments: Further arguments of `pulumi preview`.
        file: Where to write the output, also that of a failed preview.

    Raises:
        LotusError: The preview fails.
    """
    ran = engine.run("preview", "--json", "--refresh", *arguments)
    try:
        found = read_preview(ran.stdout)
    except LotusError:
        raise ran.failure("the preview failed") from None
    if file is not None:
        file.write_text(ran.stdout, encoding="utf-8")
    if ran.exit_code != 0 or not found.complete:
        if not found.errors:
            raise ran.failure("the preview failed")
        raise LotusError(f"the preview failed: {_reasons(found)}")
    return found


def _reasons(preview: Preview) -> str:
    """The errors of a failed preview, with a remedy for each connection or database that can't be replaced."""
    errors = "\n".join(error.strip() for error in preview.errors)
    remedies = [
        f'to replace the connection {name}, add "{naming.acknowledged_connection(name)}" to {ACKNOWLEDGE_KEY} in the '
        "stack's file"
        for name in sorted(set(_PROTECTED_CONNECTION.findall(errors)))
    ]
    lines = {naming.acknowledged_object(kind, name) for kind, name in _PROTECTED_DATABASE.findall(errors)}
    if lines:
        remedies.append(f"a cluster that is replaced is deleted with its data, unless it is restored: {RUNBOOK}")
    remedies += [f'to replace {line}, add "{line}" to {ACKNOWLEDGE_KEY} in the stack\'s file' for line in sorted(lines)]
    return "\n".join(filter(None, [errors, *remedies, *explain_all(preview.errors)]))


def render(plan: SavedPlan) -> str:
    """Format a saved plan for a terminal, a line for each change."""
    origin, changes = plan.origin, plan.changes
    head = f"{origin.stack} at {origin.commit[:12]}: {pluralize(len(changes), 'change') if changes else 'no changes'}"
    lines = [
        f" {_SIGNS.get(step.op, '±')} {step.op:<8} {escape_unprintable(Urn.parse(step.urn).shown)}" for step in changes
    ]
    return "\n".join([head, *lines])


def as_document(plan: SavedPlan) -> dict[str, JsonValue]:
    """A saved plan as one JSON document."""
    steps: list[JsonValue] = [{"op": step.op, "type": step.type, "name": step.name} for step in plan.changes]
    return {"ok": True, **plan.origin.model_dump(), "folder": str(plan.folder), "steps": steps}
