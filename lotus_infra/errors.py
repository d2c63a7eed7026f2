"""Errors that a user can fix.

    LotusError              a message, and a hint: what to do next
    ├── LakeError           the lake's files can't be read, or contain mistakes
    ├── ProjectError        the dbt project is missing, or its files can't be used
    └── StoppedError        the user stopped waiting

A single mistake in a lake's file is a `lotus_infra.lake.diagnostics.Diagnostic` instead of an exception, so that all of
them are reported at once. Only commands and the program catch these errors to print them. Imports no other module.

`masked_urls` removes credentials from the addresses in a text. Every error passes through it, because addresses come
from stacks' files, variables and other programs' messages.
"""

import re
from typing import Final
from urllib.parse import unquote

REPOSITORY_URL: Final = "https://github.com/lotus-lake/lotus"
DOCS: Final = f"{REPOSITORY_URL}/blob/main/docs"
"""The pages that messages name: a lake of one's own does not have them."""
MASKED: Final = "***"
_LONGEST_LINE: Final = 200
# The scheme is bounded, so that a long text without an address does not take quadratic time.
_URL: Final = re.compile(r"""([A-Za-z][A-Za-z0-9+.-]{0,30})://([^\s"'<>`]*)""")
_QUERY_VALUE: Final = re.compile(r"([?&;])([^?&;=#]+)=([^&;#,)]*)")
_S3_OPTIONS: Final = (
    *("accelerate", "awssdk", "disableSSL", "disable_https", "dualstack", "endpoint", "fips", "hostname_immutable"),
    *("kmskeyid", "profile", "rate_limiter_capacity", "region", "request_checksum_calculation"),
    *("response_checksum_validation", "role", "s3ForcePathStyle", "ssetype", "use_path_style"),
)
_OTHER_BACKENDS: Final = ("anonymous", "cdn", "domain", "localemu", "protocol", "storage_account", "universe_domain")
_OF_AIRBYTE: Final = ("includeDeleted", "limit", "offset", "workspaceId", "workspaceIds")
_PLAIN_OPTIONS: Final = frozenset((*_S3_OPTIONS, *_OTHER_BACKENDS, *_OF_AIRBYTE))
"""Options in a query that are no secrets; the value of any other one is masked."""


def masked_urls(text: str) -> str:
    """A text without the credentials in its URLs: user, password, and values of a query that are not known as plain.

    A user name is masked too: some servers take a token in its place.
    """
    return _URL.sub(lambda found: f"{found[1]}://{_masked_rest(found[1], found[2])}", text)


def has_credentials(url: str) -> bool:
    """Whether a URL has credentials in it, or an option that may be one."""
    return masked_urls(url) != url


def one_line(text: object) -> str:
    """Another program's message as part of a line: at most 200 characters, without a full stop at its end."""
    return " ".join(str(text).split())[:_LONGEST_LINE].rstrip(".")


def _masked_rest(scheme: str, rest: str) -> str:
    """The part of a URL after its scheme, masked."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    cut = authority.rfind("@")
    if cut < 0 and ":" in authority:
        # A password may have an unescaped slash: then it starts where a port would.
        cut = (rest.partition("?")[0] if authority.rpartition(":")[2].isdigit() else rest).rfind("@")
    user = rest[: cut + 1]
    if user and not (scheme.startswith(("ssh", "git+ssh")) and ":" not in user):
        rest = f"{MASKED}@{rest[cut + 1 :]}"
    return _QUERY_VALUE.sub(_masked_option, rest)


def _masked_option(found: re.Match[str]) -> str:
    separator, name, value = found.groups()
    plain = name in _PLAIN_OPTIONS and not (value != unquote(value) and has_credentials(unquote(value)))
    # An endpoint without a scheme may have credentials too.
    plain = plain and "@" not in unquote(value).replace(f"{MASKED}@", "")
    return f"{separator}{name}={value if plain or not value else MASKED}"


class LotusError(Exception):
    """An error that a user can fix.

    Attributes:
        message: The problem, as one sentence without a full stop.
        hint: The remedy; empty if the message contains it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = masked_urls(message)
        self.hint = masked_urls(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


class LakeError(LotusError):
    """The lake's folder can't be read, or its files contain mistakes."""


class ProjectError(LotusError):
    """The dbt project is missing, or one of its files can't be used."""


class StoppedError(LotusError):
    """The user stopped waiting for work that continues on a server."""
