"""What a stack says may be lost: `lotus:acknowledge`, a list of objects such as `stream shopify/orders`."""

import json
import re
from contextlib import suppress
from typing import Final

from lotus_infra.errors import LotusError

NAME: Final = "acknowledge"
KEY: Final = f"lotus:{NAME}"
_OBJECT: Final = re.compile(r"\S+ \S(.*\S)?")


def acknowledged(value: object) -> frozenset[str]:
    """The objects that may be lost.

    Args:
        value: what the stack says, as YAML has it or as the engine hands it out; None for nothing.

    Raises:
        LotusError: it is no list of objects.
    """
    if isinstance(value, str):
        with suppress(ValueError):
            value = json.loads(value)
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(each, str) and _OBJECT.fullmatch(each) for each in value):
        what = f"{KEY} is no list of objects"
        raise LotusError(what, f'pulumi config set --path "{KEY}[0]" "stream shopify/orders", one object each')
    return frozenset(value)
