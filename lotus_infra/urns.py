"""URNs of Pulumi resources, split in one place.

Form: `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`, where a name may have colons
(pulumi, sdk/go/common/resource/urn).
"""

from typing import NamedTuple, Self


class Urn(NamedTuple):
    """The parts of a URN.

    Attributes:
        stack: The stack's name.
        project: The project's name.
        type: The resource's own type, such as `airbyte:index/connection:Connection`.
        name: Its name in the program.
    """

    stack: str
    project: str
    type: str
    name: str

    @classmethod
    def parse(cls, urn: str) -> Self:
        """Split a URN.

        Raises:
            ValueError: It has fewer than four parts.
        """
        stack, project, types, name = urn.removeprefix("urn:pulumi:").split("::", maxsplit=3)
        return cls(stack, project, types.rsplit("$", maxsplit=1)[-1], name)

    @property
    def shown(self) -> str:
        """Kind and name, as people read them: `Connection shopify`."""
        return f"{self.type.rsplit(':', maxsplit=1)[-1]} {self.name}"
