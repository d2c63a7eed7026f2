"""Errors that a user can fix.

    LotusError              a message, and a hint: what to do next
    ├── LakeError           the lake's files can't be read, or contain mistakes
    ├── ProjectError        the dbt project is missing, or its files can't be used
    └── StoppedError        the user stopped waiting

A single mistake in a lake's file is a `lotus_infra.lake.diagnostics.Diagnostic` instead of an exception, so that all of
them are reported at once. Only commands and the program catch these errors to print them. Imports no other module.
"""


class LotusError(Exception):
    """An error that a user can fix.

    Attributes:
        message: The problem, as one sentence without a full stop.
        hint: The remedy; empty if the message contains it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


class LakeError(LotusError):
    """The lake's folder can't be read, or its files contain mistakes."""


class ProjectError(LotusError):
    """The dbt project is missing, or one of its files can't be used."""


class StoppedError(LotusError):
    """The user stopped waiting for work that continues on a server."""
