"""The S3 server as a process of its own: started once, found again by later commands, stopped on request."""

import os
import sys
import time
from pathlib import Path
from typing import Final

import boto3
import httpx
from botocore.config import Config
from mypy_boto3_s3 import S3Client

from sandbox.layout import REGION, S3_KEY, STATE_BUCKET, Layout, write_whole
from sandbox.process import START_SECONDS, Process, Running, free_port, not_started, remembered, spawn
from toolchain.engine import EngineError
from toolchain.s3_server import s3_server

MOTO: Final = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1")


class Server(Running):
    """A running server.

    Attributes:
        keeps: whether its objects stay when it stops.
    """

    keeps: bool = True

    @property
    def is_alive(self) -> bool:
        """Whether the process runs and answers."""
        try:
            return self.is_running and not httpx.get(f"{self.url}/health", timeout=5).is_server_error
        except httpx.HTTPError:
            return False

    def client(self) -> S3Client:
        """A client with the server's one key."""
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3})
        session = boto3.session.Session(S3_KEY, S3_KEY, region_name=REGION)
        return session.client("s3", endpoint_url=self.url, config=config)


def found(layout: Layout) -> Server | None:
    """The server that an earlier run started, if it still runs."""
    server = remembered(layout.s3_file, Server)
    return server if server is not None and server.is_alive else None


def start(layout: Layout) -> Server:
    """Start a server on a free loopback port (the last one, if that is free), and make the bucket of the state.

    The engine can't keep its state in a bucket that it makes: that one is there first, and the program takes it over.

    Raises:
        LotusError: it did not start; the message has its output.
    """
    command = program()
    before = remembered(layout.s3_file, Server)
    ports = [int(before.url.rpartition(":")[2])] if before else []
    for port in (*ports, free_port()):
        process = _spawn(layout, command, port)
        server = Server(pid=process.pid, url=f"http://127.0.0.1:{port}", keeps=command is not None)
        if _answers(process, server):
            write_whole(layout.s3_file, server.model_dump_json())
            _make_state_bucket(server)
            return server
    raise not_started("the S3 server", layout.s3_log)


def program() -> Path | None:
    """The server that keeps its objects, built where it is missing; None where that can't be done."""
    try:
        return s3_server()
    except EngineError:
        return None


def _spawn(layout: Layout, versitygw: Path | None, port: int) -> Process:
    """Start versitygw, or moto where there is none: it comes with the environment, and keeps nothing when it ends."""
    command = _versitygw(layout, versitygw, port) if versitygw is not None else [*MOTO, "-p", str(port)]
    keys = {"ROOT_ACCESS_KEY": S3_KEY, "ROOT_SECRET_KEY": S3_KEY}
    return spawn(command, layout.s3_log, os.environ | keys)


def _versitygw(layout: Layout, command: Path, port: int) -> list[str]:
    folders = {name: layout.s3_data / name for name in ("buckets", "versions", "notes")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    listening = ["--port", f"127.0.0.1:{port}", "--health", "/health", "--region", REGION, "--quiet"]
    # Notes beside the objects, so that no filesystem needs extended attributes.
    kept = ["--versioning-dir", str(folders["versions"]), "--sidecar", str(folders["notes"]), str(folders["buckets"])]
    return [str(command), *listening, "posix", *kept]


def _answers(process: Process, server: Server) -> bool:
    """Whether it answers within START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if server.is_alive and process.poll() is None:
            return True
        time.sleep(0.05)
    process.kill()
    process.wait()
    return False


def _make_state_bucket(server: Server) -> None:
    client = server.client()
    if STATE_BUCKET not in {bucket.get("Name") for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=STATE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
