"""Whether each stack of a project has an Airbyte workspace to itself: asked of the files, before anything is called.

A stack adopts what is identical in its workspace, and deletes what leaves its program. Two stacks in one workspace
would adopt and delete each other's objects.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from lotus_infra.config import stack_files
from lotus_infra.errors import LotusError

SERVER: Final = "airbyte:serverUrl"
WORKSPACE: Final = "lotus:workspaceId"
_PORTS: Final = {"http": 80, "https": 443}
Stacks = Mapping[str, Mapping[str, object]]
"""What each stack sets, by its name and by the whole key."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of a server, as two of them compare."""

    server: str
    id: str

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "Workspace | None":
        """The one that a stack's values name.

        None where they can't be compared: an encrypted value, a server that the environment gives, or the zeros that
        stand for a workspace until one is set. Without a workspace the program refuses to run.
        """
        server, workspace = _server(values.get(SERVER)), _id(values.get(WORKSPACE))
        return cls(server, workspace) if server and workspace else None


@dataclass(frozen=True, slots=True)
class Shared:
    """A workspace that a stack shares with another one.

    Attributes:
        stack: The stack.
        other: The other one, the first by name.
        workspace: The workspace.
    """

    stack: str
    other: str
    workspace: Workspace

    @property
    def file(self) -> str:
        """The stack's file."""
        return stack_files.stack_file(self.stack)

    @property
    def what(self) -> str:
        """What is wrong with the file."""
        where = f"the workspace {self.workspace.id} of {self.workspace.server}"
        return f"names the same Airbyte workspace as {stack_files.stack_file(self.other)}, {where}"

    @property
    def remedy(self) -> str:
        """What to do about it."""
        choose = f"pulumi config set --stack {self.stack} {WORKSPACE} <id>"
        return f"give each stack a workspace of its own (`{choose}`), or delete the file of a stack that is gone"


def shared(stacks: Stacks) -> Iterator[Shared]:
    """Each stack whose workspace another one before it names, by name."""
    first: dict[Workspace, str] = {}
    for stack in sorted(stacks):
        workspace = Workspace.of(stacks[stack])
        if workspace is not None:
            other = first.setdefault(workspace, stack)
            if other != stack:
                yield Shared(stack, other, workspace)


def check(folder: Path, stack: str, values: Mapping[str, object]) -> None:
    """Refuse to run a stack whose workspace another stack of the project names.

    Args:
        folder: The project's, with the files of all its stacks.
        stack: The stack that runs.
        values: What the engine was given as its values, which may come from another file than the stack's own.

    Raises:
        LotusError: Another stack names the same.
    """
    for found in shared({**stack_files.values(folder), stack: values}):
        if stack in {found.stack, found.other}:
            raise LotusError(f"{found.file} {found.what}", found.remedy)


def _server(url: object) -> str:
    """A server's address without what makes no difference; empty where there is none to compare."""
    try:
        parts = urlsplit(url.strip()) if isinstance(url, str) else urlsplit("")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    own = "" if port in {None, _PORTS.get(parts.scheme)} else f":{port}"
    return f"{parts.scheme}://{host}{own}{parts.path.rstrip('/')}" if host else ""


def _id(text: object) -> str:
    try:
        found = UUID(text) if isinstance(text, str) else UUID(int=0)
    except ValueError:
        return ""
    return str(found) if found.int else ""
