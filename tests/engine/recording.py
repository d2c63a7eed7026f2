"""A plugin that serves as the real one does, and notes each call of the engine in a file that all its processes share.

It is started in place of `pulumi-resource-airbyte` by a script that `install` writes.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
RECORD: Final = "RECORDED_CALLS"
"""Names the file in the environment; without it nothing is noted."""
VERBS: Final = ("Check", "Diff", "Create", "Read", "Update", "Delete")
SCRIPT: Final = f"""#!{sys.executable}
import sys

sys.path.insert(0, {str(REPOSITORY)!r})
from tests.engine.recording import main

main()
"""


@dataclass(frozen=True)
class Call:
    """What the engine called.

    Attributes:
        process: of the plugin.
        verb: the method.
        urn: of the resource.
        id: of the object; empty where the engine gives none.
        olds: whether the engine gave the inputs of the state too.
    """

    process: int
    verb: str
    urn: str
    id: str
    olds: bool


def install(folder: Path) -> Path:
    """Write the plugin's executable into a new folder, which a project names as the plugin's."""
    folder.mkdir()
    script = folder / "pulumi-resource-airbyte"
    script.write_text(SCRIPT, encoding="utf-8")
    script.chmod(0o755)
    return folder


def recorded(file: Path) -> list[Call]:
    """All calls, oldest first."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [Call(**json.loads(line)) for line in lines]


def main() -> None:
    """Serve, in the light process that the provider's own script makes."""
    from pulumi_airbyte.provider import process  # noqa: PLC0415

    for package in ("pulumi", "pulumi.runtime"):
        process._unrun(package)
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    from pulumi_airbyte.provider import plugin, servicer  # noqa: PLC0415

    kept = {verb: _noted(verb, getattr(servicer.Servicer, verb)) for verb in VERBS}
    recorder: Any = type("Recorder", (servicer.Servicer,), kept)
    plugin.run(lambda messages: closing(recorder(messages)))


def _noted(verb: str, serve: Callable[..., Any]) -> Callable[..., Any]:
    def noted(self: Any, request: Any, context: Any) -> Any:
        file = os.environ.get(RECORD)
        if file:
            call = Call(os.getpid(), verb, request.urn, getattr(request, "id", ""), _has_olds(verb, request))
            with Path(file).open("a", encoding="utf-8") as record:
                record.write(json.dumps(asdict(call)) + "\n")
        return serve(self, request, context)

    return noted


def _has_olds(verb: str, request: Any) -> bool:
    inputs = {"Check": "olds", "Read": "inputs"}.get(verb, "old_inputs")
    return hasattr(request, inputs) and bool(getattr(request, inputs).fields)
