"""Settings of the client: the roots of both APIs, credentials, timeouts and retries."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

AuthMode = Literal["none", "basic", "client_credentials", "bearer"]

_PLAIN: Final = re.compile(r"[\w.:/\[\]-]*")
"""Text without a query, credentials or escapes."""
_PUBLIC_SUFFIX: Final = "/api/public/v1"
_CLOUD_PUBLIC: Final = "https://api.airbyte.com/v1"
_CLOUD_CONFIG: Final = "https://cloud.airbyte.com/api/v1"


@dataclass(frozen=True)
class Auth:
    """Credentials. The mode follows from which of them are set.

    Attributes:
        client_id: id of an application, with `client_secret`; its tokens are fetched and renewed.
        username: for HTTP Basic, with `password` (old docker-compose servers).
        bearer: a bearer token.
        token_url: overrides `<public root>/applications/token`.
    """

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)
    token_url: str = ""

    @property
    def mode(self) -> AuthMode:
        """The authentication mode of these credentials."""
        if self.client_id or self.client_secret:
            return "client_credentials"
        if self.username or self.password:
            return "basic"
        return "bearer" if self.bearer else "none"

    def problem(self) -> str:
        """The flaw of an invalid combination; empty if it is valid."""
        given = [bool(self.client_id or self.client_secret), bool(self.username or self.password), bool(self.bearer)]
        if sum(given) > 1:
            return "give one of clientId + clientSecret, username + password, or bearerAuth; not several"
        if bool(self.client_id) != bool(self.client_secret):
            return "clientId and clientSecret go together"
        if bool(self.username) != bool(self.password):
            return "username and password go together"
        if not (self.bearer.isascii() and self.bearer.isprintable()):
            return "bearerAuth has a character that no header can carry (a line break at its end?)"
        return ""


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter.

    Attributes:
        attempts: the number of tries, at least 1.
        base_seconds: upper bound of the first wait; it doubles with each try. 0 retries at once.
        max_seconds: upper bound of every wait.
    """

    attempts: int = 6
    base_seconds: float = 0.5
    max_seconds: float = 30.0


@dataclass(frozen=True)
class ClientSettings:
    """How to reach one Airbyte server.

    Attributes:
        public_url: root of the public API, e.g. `https://airbyte.example.com/api/public/v1`.
        config_url: root of the Config API; derived from `public_url` if empty.
        auth: credentials.
        retry: when to retry a call that is safe to repeat.
        read_seconds: time limit of a call, with its retries, its token and the body of its answer. Creating a
            connection discovers the source, which takes minutes.
        parallel_writes: number of concurrent writing calls; others wait.
        poll_seconds: polling interval for running jobs.
    """

    public_url: str
    config_url: str = ""
    auth: Auth = Auth()
    retry: RetryPolicy = RetryPolicy()
    read_seconds: float = 600.0
    parallel_writes: int = 16
    poll_seconds: float = 5.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "public_url", self.public_url.rstrip("/"))
        object.__setattr__(self, "config_url", (self.config_url or derive_config_url(self.public_url)).rstrip("/"))


def derive_config_url(public_url: str) -> str:
    """The Config API's root for a public root; empty if it is unknown.

    Self-managed servers (0.64 and later) serve both under `/api`; Cloud uses two hosts (airbyte-platform,
    ServerConstants).
    """
    root = public_url.rstrip("/")
    if root == _CLOUD_PUBLIC:
        return _CLOUD_CONFIG
    return root.removesuffix(_PUBLIC_SUFFIX) + "/api/v1" if root.endswith(_PUBLIC_SUFFIX) else ""


def url_problem(url: str) -> str:
    """The flaw of a root URL; empty if it is valid."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        sound = False
    if "@" in url:
        return "the URL carries credentials; give username and password instead"
    if "?" in url:
        return "the URL has a query; leave out the question mark and the rest"
    shown = repr(url) if _PLAIN.fullmatch(url) else "it"
    return "" if sound else f"{shown} is not a URL like https://airbyte.example.com/api/public/v1"
