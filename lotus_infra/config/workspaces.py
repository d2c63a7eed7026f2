"""Refuse two stacks with one Airbyte workspace, from the project's files alone.

A stack adopts identical objects in its workspace, and deletes objects that leave its program: two stacks in one
workspace would adopt and delete each other's objects.
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
SERVER_VARIABLE: Final = "AIRBYTE_SERVER_URL"
CLOUD: Final = "https://api.airbyte.com/v1"
_PORTS: Final = {"http": 80, "https": 443}
Stacks = Mapping[str, Mapping[str, object]]
"""The values of each stack, by stack name and full key."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of a server, in a form that compares.

    Attributes:
        server: The server's address; empty if it can't be read.
        id: The workspace's id.
    """

    server: str
    id: str

    @classmethod
    def of(cls, values: Mapping[str, object], default: str = CLOUD) -> "Workspace | None":
        """Take it from a stack's values.

        None if it is not known: an encrypted id, or the zeros of a new stack's file. Without a workspace the program
        refuses to run.

        Args:
            values: The values by full key.
            default: The server of a stack that sets none.
        """
        workspace = known_id(values.get(WORKSPACE))
        return cls(_server(values.get(SERVER, default)), workspace) if workspace else None

    def may_be(self, other: "Workspace") -> bool:
        """Whether both may be the same workspace. An id is unique, so servers that can't be compared count as one."""
        return self.id == other.id and (self.server == other.server or not (self.server and other.server))


@dataclass(frozen=True, slots=True)
class Shared:
    """Two stacks with one workspace.

    Attributes:
        stack: The stack.
        other: The first other stack by name.
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
        """The problem."""
        server = f" of {self.workspace.server}" if self.workspace.server else ""
        where = f"the workspace {self.workspace.id}{server}"
        return f"names the same Airbyte workspace as {stack_files.stack_file(self.other)}, {where}"

    @property
    def remedy(self) -> str:
        """The remedy."""
        choose = f"pulumi config set --stack {self.stack} {WORKSPACE} <id>"
        return f"give each stack a workspace of its own (`{choose}`), or delete the file of a stack that is gone"


def shared(stacks: Stacks, default: str = CLOUD) -> Iterator[Shared]:
    """Each stack whose workspace an earlier stack has too, in order of names.

    Args:
        stacks: The stacks.
        default: The server of a stack that sets none.
    """
    earlier: dict[str, Workspace] = {}
    for stack in sorted(stacks):
        workspace = Workspace.of(stacks[stack], default)
        if workspace is not None:
            other = next((name for name, known in earlier.items() if known.may_be(workspace)), None)
            if other is not None:
                yield Shared(stack, other, workspace)
            earlier[stack] = workspace


def check(folder: Path, stack: str, values: Mapping[str, object], environment: Mapping[str, str]) -> None:
    """Refuse to run a stack whose workspace another stack of the project has.

    Args:
        folder: The project's, with the files of all its stacks.
        stack: The stack that runs.
        values: Its values as the engine got them: `--config-file` may name another file.
        environment: The environment's variables.

    Raises:
        LotusError: Another stack has the same workspace.
    """
    others = {name: stack_files.read_stack(folder, name).values for name in stack_files.stacks(folder)}
    for found in shared({**others, stack: values}, environment.get(SERVER_VARIABLE) or CLOUD):
        if stack in {found.stack, found.other}:
            raise LotusError(f"{found.file} {found.what}", found.remedy)


def _server(url: object) -> str:
    """A server's address in canonical form; empty if there is none."""
    try:
        parts = urlsplit(url.strip()) if isinstance(url, str) else urlsplit("")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    own = "" if port in {None, _PORTS.get(parts.scheme)} else f":{port}"
    return f"{parts.scheme}://{host}{own}{parts.path.rstrip('/')}" if host else ""


def known_id(text: object) -> str:
    """A workspace's id; empty if it is none, or the zeros that a new stack's file has as a placeholder."""
    try:
        found = UUID(text) if isinstance(text, str) else UUID(int=0)
    except ValueError:
        return ""
    return str(found) if found.int else ""
