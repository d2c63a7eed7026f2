"""What can go wrong in ways that a user can mend.

    LotusError              a message for a person, and a hint that says what to do next
    ├── LakeError           the lake's files can't be used as they are
    ├── ProjectError        the dbt project is missing, or its files can't be used as they are
    └── StoppedError        the user stopped waiting

A mistake inside a lake's file is no exception but a `lotus_infra.lake.diagnostics.Diagnostic`: all of them are gathered
before anyone is told. This module knows no other; only the command line and the program catch what is raised here.
"""


class LotusError(Exception):
    """Something that the user can mend.

    Attributes:
        message: What is wrong, as one sentence without a full stop.
        hint: What to do about it; empty when the message says it all.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


class LakeError(LotusError):
    """The folder of stream files can't be read, or holds problems."""


class ProjectError(LotusError):
    """The dbt project is missing, or one of its files can't be used."""


class StoppedError(LotusError):
    """The user stopped waiting for something that goes on elsewhere."""
