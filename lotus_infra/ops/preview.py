"""`lotus preview`: what is reviewed, as a folder: what would be done, the plan that holds the engine to it, of what.

The folder has `preview.json` (as `pulumi preview --json` prints it), `plan.json` (secrets are encrypted in it as in the
state) and `review.json`. A preview that failed leaves `preview.json` alone, which says why.
"""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from lotus_infra.changes.digest import Preview, read
from lotus_infra.errors import LotusError
from lotus_infra.ops.engine import Engine
from lotus_infra.ops.repository import Checkout

PREVIEW: Final = "preview.json"
PLAN: Final = "plan.json"
REVIEW: Final = "review.json"
FOLDER: Final = Path(".review")
"""Where reviews lie by default, each in a folder of its stack's name; git ignores it."""
NOISE: Final = frozenset({"ciphertext", "sourcePosition", "stackTrace", "time"})
"""What an update that changes nothing may write anew; of a changed secret, `modified` tells."""


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


def preview(engine: Engine, checkout: Checkout, folder: Path) -> Reviewed:
    """Preview a stack after a look at what is live, and keep what was seen.

    Args:
        engine: the engine, with its stack named.
        checkout: the clone that is previewed.
        folder: where to write; what an earlier preview left there goes.

    Raises:
        LotusError: the preview fails; the folder then says why.
    """
    state, version = fingerprint(engine.asked("stack", "export")), engine.version()
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
    ran = engine.ran("preview", "--json", "--refresh", *arguments)
    try:
        found = read(ran.stdout)
    except LotusError:
        raise LotusError(f"the preview failed: {ran.reason}") from None
    if file is not None:
        file.write_text(ran.stdout, encoding="utf-8")
    if ran.exit_code != 0 or not found.complete:
        raise LotusError(f"the preview failed: {'; '.join(found.errors) or ran.reason}")
    return found


def fingerprint(exported: str) -> str:
    """The SHA-256, in hexadecimal, of what `pulumi stack export` prints of resources and pending operations.

    An update that changes nothing leaves it as it is, in whichever order it writes the resources.

    Raises:
        LotusError: the text is something else.
    """
    try:
        document = json.loads(exported)
        deployment = document["deployment"]
        parts = [*(deployment.get("resources") or ()), *(deployment.get("pending_operations") or ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LotusError(
            "the stack's state is not what pulumi exports", "use the engine that `make env` finds"
        ) from None
    texts = sorted(json.dumps(_settled(part), sort_keys=True) for part in parts)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _settled(value: JsonValue) -> JsonValue:
    """A part of a state without what is written anew each time; lists of URNs come in no order."""
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items() if key not in NOISE}
    if isinstance(value, list):
        urns = [item for item in value if isinstance(item, str) and item.startswith("urn:pulumi:")]
        return [*sorted(urns)] if value and len(urns) == len(value) else [_settled(item) for item in value]
    return value
