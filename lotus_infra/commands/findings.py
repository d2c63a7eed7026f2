"""One comparison of something that runs with its declaration; `lotus verify` lists them, `lotus doctor` counts them."""

from dataclasses import dataclass
from typing import Literal

State = Literal["same", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison.

    Attributes:
        what: What was compared.
        where: The pod, the part of the release, or the database.
        declared: The value in the stack or the repository.
        running: The value in the cluster.
        state: The result; `unknown` if the cluster does not report the value.
        remedy: What to do; empty if nothing.
    """

    what: str
    where: str
    declared: str
    running: str
    state: State
    remedy: str = ""
