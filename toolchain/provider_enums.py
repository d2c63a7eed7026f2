"""The enumerations of the Airbyte provider's Python SDK, generated from the schema, as generated SDKs have them."""

import re
from typing import Final

from pulumi_airbyte.provider import schema

HEAD: Final = '''\
"""The values of properties that take some texts alone; the texts themselves are accepted too.

Generated from the plugin's field tables: `make bless` updates it.
"""

from enum import StrEnum
'''


def enumerations() -> str:
    """The module's text."""
    found = sorted(schema.enumerations().items())
    listed = "".join(f'    "{name}",\n' for name, _ in found)
    classes = (_class(name, values) for name, values in found)
    return "\n\n".join([f"{HEAD}\n__all__ = [\n{listed}]\n", *classes])


def _class(name: str, values: tuple[str, ...]) -> str:
    members = "\n".join(f'    {_member(value)} = "{value}"' for value in values)
    return f'class {name}(StrEnum):\n    """Values of the type {name}."""\n\n{members}\n'


def _member(value: str) -> str:
    """The name that Pulumi's generator gives a member: `PKCS5Padding` is `PKCS5_PADDING`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", schema.member(value)).upper()
