"""How to reach an Airbyte: its two roots, the way to authenticate, timeouts and retries."""

from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

AuthMode = Literal["none", "basic", "client_credentials", "bearer"]

_PUBLIC_SUFFIX: Final = "/api/public/v1"
_CLOUD_PUBLIC: Final = "https://api.airbyte.com/v1"
_CLOUD_CONFIG: Final = "https://cloud.airbyte.com/api/v1"


@dataclass(frozen=True)
class Auth:
    """Credentials; the mode follows from which of them are given.

    Attributes:
        client_id: of an application, with `client_secret`: client-credentials tokens are fetched and refreshed.
        username: for HTTP Basic, with `password` (servers of the docker-compose era).
        bearer: a ready token, sent as it is.
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
        """The one mode these credentials are for."""
        if self.client_id or self.client_secret:
            return "client_credentials"
        if self.username or self.password:
            return "basic"
        return "bearer" if self.bearer else "none"

    def problem(self) -> str:
        """What is wrong with the combination, or an empty text."""
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
        attempts: tries in all, at least 1.
        base_seconds: the first wait's upper bound; it doubles at each try. 0 retries at once.
        max_seconds: no wait is longer.
    """

    attempts: int = 6
    base_seconds: float = 0.5
    max_seconds: float = 30.0


@dataclass(frozen=True)
class ClientSettings:
    """One Airbyte.

    Attributes:
        public_url: root of the public API, e.g. `https://airbyte.example.com/api/public/v1`.
        config_url: root of the Config API; derived from `public_url` when empty.
        auth: how to authenticate.
        retry: how often to try again what may be tried again.
        read_seconds: how long a call may take, with all its tries, the token that it needs and the whole of its answer;
            creating a connection discovers the source, which takes minutes.
        parallel_writes: so many writing calls are under way at once; the others wait.
        poll_seconds: between two looks at a job that runs.
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
    """The Config API's root beside a public root, or an empty text when there is no known one.

    Self-managed servers (0.64 and later) serve both under `/api`; Cloud uses two hosts (airbyte-platform,
    ServerConstants).
    """
    root = public_url.rstrip("/")
    if root == _CLOUD_PUBLIC:
        return _CLOUD_CONFIG
    return root.removesuffix(_PUBLIC_SUFFIX) + "/api/v1" if root.endswith(_PUBLIC_SUFFIX) else ""


def url_problem(url: str) -> str:
    """What is wrong with a root URL, or an empty text."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query
        _ = parts.port
    except ValueError:
        sound = False
    if "@" in url:
        return "the URL carries credentials; give username and password instead"
    return "" if sound else f"{url!r} is not a URL like https://airbyte.example.com/api/public/v1"
