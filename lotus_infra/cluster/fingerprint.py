"""A fingerprint of credentials: it changes when any of them does, and tells nothing of them.

It is shown to whoever may see a pod, so it must not help to guess a credential. Three things see to that. It is made of
all credentials at once, so that none can be tried alone. Each try costs a function that is slow and takes memory on
purpose, with a salt of its own for every stack. And its 48 bits are far less than what the credentials hold: passwords
that are short enough to be guessed are refused.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

SHORTEST_PASSWORD: Final = 16
"""Characters that a password must have at least, so that it can't be guessed."""
_BYTES: Final = 6


def fingerprint(credentials: Mapping[str, str], stack: str) -> str:
    """Twelve hexadecimal digits.

    Args:
        credentials: By name; the order makes no difference.
        stack: Project and stack, so that equal credentials of two stacks don't look equal.
    """
    text = json.dumps(dict(credentials), sort_keys=True).encode()
    return hashlib.scrypt(text, salt=f"lotus/{stack}".encode(), n=2**14, r=8, p=1, dklen=_BYTES).hex()
