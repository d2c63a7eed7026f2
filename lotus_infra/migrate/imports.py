"""The file that `pulumi import --file` takes.

Its names are unique in the file, and the program's names are `logicalName`s: a source, its connection and the pipeline
of both share one. A component is declared so that what is below it gets the URN that it has in the program.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

PIPELINE: Final = "lotus:airbyte:Pipeline"
COMMAND: Final = "pulumi import --file {} --protect=false --generate-code=false"
"""The program says what is protected, and is there already: no code is wanted."""


@dataclass(frozen=True, slots=True)
class Imported:
    """An object that becomes a resource.

    Attributes:
        kind: `source`, `destination` or `connection`.
        name: The resource's name in the program.
        id: The object's id.
        label: What people see.
        address: Where Terraform has it; empty where it does not.
    """

    kind: str
    name: str
    id: str
    label: str
    address: str = ""

    @property
    def type(self) -> str:
        """Its type in the program."""
        return f"airbyte:index/{self.kind}:{self.kind.title()}"


def text(objects: Iterable[Imported]) -> str:
    """The text of the file."""
    return json.dumps({"resources": list(_resources(objects))}, indent=2, ensure_ascii=False) + "\n"


def _resources(objects: Iterable[Imported]) -> Iterator[dict[str, JsonValue]]:
    declared: set[str] = set()
    for each in objects:
        resource: dict[str, JsonValue] = {"type": each.type, "name": f"{each.name}-{each.kind}", "id": each.id}
        resource["logicalName"] = each.name
        if each.kind != "destination":
            pipeline = f"{each.name}-pipeline"
            if pipeline not in declared:
                declared.add(pipeline)
                yield {"type": PIPELINE, "name": pipeline, "logicalName": each.name, "component": True}
            resource["parent"] = pipeline
        yield resource
