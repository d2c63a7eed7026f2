"""A server that gives every request the same answer: an error of S3, a web page, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socket import socket

from tests.support.http_server import http_server

PAGE = "<!doctype html><html><body><h1>Welcome</h1></body></html>"
KEYS = {"AWS_ACCESS_KEY_ID": "example", "AWS_SECRET_ACCESS_KEY": "example"}
REFUSALS = {
    "AccessDenied": 403,
    "ExpiredToken": 400,
    "InvalidAccessKeyId": 403,
    "InvalidToken": 400,
    "SignatureDoesNotMatch": 403,
    "RequestTimeTooSkewed": 403,
    "NoSuchBucket": 404,
    "AuthorizationHeaderMalformed": 400,
}
"""Error codes of S3 with their status."""
RAW = (
    "An error occurred (",
    "botocore",
    "operation error",
    "RequestID",
    "IMDS",
    "Traceback",
    "Unable to locate",
    "blob (",
)
"""Texts of SDKs, which no message of a known cause has."""


def s3_error(code: str) -> str:
    """An error as S3 answers it."""
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>told</Message><RequestId>1</RequestId></Error>"


@contextmanager
def answering(status: int, body: str, kind: str = "application/xml") -> Iterator[str]:
    """A server's address; it has this answer to everything."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(sent)

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with http_server(Answer) as address:
        yield address


def closed_port() -> str:
    """An address at which nothing answers."""
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def backend(address: str) -> str:
    """A bucket on a server, as the address of a backend."""
    return f"s3://state?endpoint={address}&region=us-east-1&s3ForcePathStyle=true"
