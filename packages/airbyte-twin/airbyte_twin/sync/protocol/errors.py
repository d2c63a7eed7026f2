"""What can go wrong with a connector.

```
ConnectorError        it failed; the text is for its user
└── ProtocolError     it sent a message that is not what the protocol says
Halted                the work was called off
```
"""


class ConnectorError(Exception):
    """A connector failed; the text is for its user, `internal` for its makers."""

    def __init__(self, text: str, internal: str | None = None) -> None:
        super().__init__(text)
        self.internal = internal


class ProtocolError(ConnectorError):
    """A message of a known type is not what the protocol says; the text says which, without its data."""


class Halted(Exception):  # noqa: N818 - it is no error: somebody said stop
    """The work was called off."""
