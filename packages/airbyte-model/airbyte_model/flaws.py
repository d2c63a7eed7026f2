"""How a rule refuses."""

from typing import NamedTuple


class Flaw(NamedTuple):
    """Why the server refuses a value.

    Attributes:
        what: is wrong.
        remedy: what to write instead.
    """

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"
