"""Where the engine keeps a project's state, chosen as the Pulumi CLI chooses; knows neither Pulumi nor the network."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

BACKEND_VARIABLE: Final = "PULUMI_BACKEND_URL"
ENDPOINT_VARIABLE: Final = "AWS_ENDPOINT_URL_S3"
"""The AWS SDKs' own; a stack whose server moves, such as the sandbox's, says its address this way."""
ENDPOINT_VARIABLES: Final = (ENDPOINT_VARIABLE, "AWS_ENDPOINT_URL")
"""The first before the second; an S3 backend whose URL has no `endpoint` follows them too."""
IGNORED_ENDPOINTS: Final = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
SHARED: Final = frozenset({"s3", "gs", "azblob", "https"})
"""Schemes of backends that a whole team reaches."""

Chooser = Literal["$PULUMI_BACKEND_URL", "Pulumi.yaml", "pulumi login", "nothing"]


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the state is.

    Attributes:
        url: Its address; empty where nothing says it.
        chosen_by: What says it.
    """

    url: str
    chosen_by: Chooser

    @classmethod
    def chosen(cls, declared: str, environment: Mapping[str, str] = os.environ) -> "Backend":
        """The backend that the CLI uses: the environment's, else the project's, else that of the last login.

        Seen on Pulumi 3.259 (tests/engine/test_state_guard.py).

        Args:
            declared: `backend.url` of `Pulumi.yaml`; empty where it has none.
            environment: The environment's variables.
        """
        if environment.get(BACKEND_VARIABLE):
            return cls(environment[BACKEND_VARIABLE], "$PULUMI_BACKEND_URL")
        if declared:
            return cls(declared, "Pulumi.yaml")
        logged_in = _logged_in(environment)
        return cls(logged_in, "pulumi login") if logged_in else cls("", "nothing")

    @property
    def scheme(self) -> str:
        """What kind of backend it is: `s3`, `file`, `https`, …; empty for none."""
        return self.url.partition("://")[0] if "://" in self.url else ""

    @property
    def is_shared(self) -> bool:
        """Whether more than this one machine reaches it."""
        return self.scheme in SHARED

    @property
    def bucket(self) -> str:
        """The bucket of one that is in a bucket; else empty."""
        return urlsplit(self.url).netloc if self.scheme in {"s3", "gs", "azblob"} else ""

    def diverted(self, environment: Mapping[str, str]) -> str:
        """The variable that sends an S3 backend to another server than its URL says; empty where none does."""
        if self.scheme != "s3" or "endpoint" in parse_qs(urlsplit(self.url).query):
            return ""
        return diverting(environment)


def diverting(environment: Mapping[str, str]) -> str:
    """The variable that sends everyone who asks AWS for S3 to another server; empty where none does."""
    if environment.get(IGNORED_ENDPOINTS, "").lower() == "true":
        return ""
    return next((name for name in ENDPOINT_VARIABLES if environment.get(name)), "")


def _logged_in(environment: Mapping[str, str]) -> str:
    """The backend of the last `pulumi login`, by the file where the CLI notes it."""
    home = environment.get("PULUMI_CREDENTIALS_PATH") or environment.get("PULUMI_HOME")
    folder = Path(home) if home else Path(environment.get("HOME", "~")).expanduser() / ".pulumi"
    try:
        noted = json.loads((folder / "credentials.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    current = noted.get("current") if isinstance(noted, dict) else None
    return current if isinstance(current, str) else ""
