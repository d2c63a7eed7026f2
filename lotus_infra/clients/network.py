"""Whether a host has an address, and whether a repository of Helm charts answers."""

import socket
from typing import Final
from urllib.parse import urlsplit

import httpx

from lotus_infra.errors import LotusError

_TIMEOUT_SECONDS: Final = 10.0
_INDEX: Final = "index.yaml"


def addresses_of(host: str) -> tuple[str, ...]:
    """The IP addresses of a host, as this machine resolves it.

    Raises:
        LotusError: The host has no address.
    """
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError as error:
        raise LotusError(f"the host {host} has no address: {error.strerror or error}") from None
    return tuple(sorted({str(address[0]) for *_, address in found}))


def ask_chart_repository(url: str) -> None:
    """Ask a repository of charts for its index, or an OCI registry for its version; the content is not read.

    Args:
        url: `https://…` or `oci://…`.

    Raises:
        LotusError: It does not answer, or has no index.
    """
    parts = urlsplit(url)
    if parts.scheme == "oci":
        # A registry that requires a login answers 401, and is reachable.
        ask_address(f"https://{parts.netloc}/v2/", also=401)
    else:
        ask_address(f"{url.rstrip('/')}/{_INDEX}")


def ask_address(url: str, *, also: int = 200) -> None:
    """Ask for a document; its content is not read.

    Args:
        url: Its address.
        also: A further status that is a good answer.

    Raises:
        LotusError: It does not answer, or has no such document.
    """
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_SECONDS, follow_redirects=True) as response:
            status = response.status_code
    except httpx.HTTPError as error:
        raise LotusError(f"{url} does not answer: {str(error) or type(error).__name__}") from None
    if status >= 400 and status != also:
        raise LotusError(f"{url} answers {status}")
