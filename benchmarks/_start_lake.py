"""The projects of `start.py`: the repository's own sources, and programs of plain Pulumi that do next to nothing."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from airbyte_twin.settings import DEFAULT_WORKSPACE_ID

REPOSITORY: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ("faker", "klaviyo", "shopify")
VALUES: Final = {"workspaceId": DEFAULT_WORKSPACE_ID, "shopify_store": "a-store"}
SECRETS: Final = {"shopify_api_password": "x", "klaviyo_api_key": "x", "s3_key_id": "x", "s3_key": "x"}
BUCKET: Final = {
    "s3_bucket_name": "landing",
    "s3_bucket_path": "raw",
    "s3_bucket_region": "us-west-1",
    "s3_endpoint": "http://127.0.0.1:9000",
    "access_key_id": {"$secret": "s3_key_id"},
    "secret_access_key": {"$secret": "s3_key"},
}
"""In place of the landing zone's, so that the preview needs no other plugin."""

COUNT_AT_END: Final = """
import atexit, os, sys

def write_modules():
    with open(os.environ["START_MODULES"], "w") as file:
        print(*sorted(sys.modules), sep="\\n", file=file)

if "START_MODULES" in os.environ:
    atexit.register(write_modules)
"""
"""Part of a program: write the modules that it has imported to a file, if the environment names one."""

NO_RESOURCE: Final = "import pulumi\n"
ONE_RESOURCE: Final = """
import pulumi

class Nothing(pulumi.CustomResource):
    def __init__(self, name):
        super().__init__("floor:index:Nothing", name, {})

Nothing("one")
"""
FLOOR_PLUGIN: Final = """#!{python}
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec, module_from_spec

for package in ("pulumi", "pulumi.runtime"):
    sys.modules[package] = module_from_spec(find_spec(package))

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2 as wire, provider_pb2_grpc

class Floor(provider_pb2_grpc.ResourceProviderServicer):
    def Handshake(self, request, context):
        return wire.ProviderHandshakeResponse(accept_secrets=True)
    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version="0.0.1")
    def CheckConfig(self, request, context):
        return wire.CheckResponse(inputs=request.news)
    def DiffConfig(self, request, context):
        return wire.DiffResponse(changes=1)
    def Configure(self, request, context):
        return wire.ConfigureResponse(acceptSecrets=True, supportsPreview=True)
    def Check(self, request, context):
        return wire.CheckResponse(inputs=request.news)
    def Diff(self, request, context):
        return wire.DiffResponse(changes=1)
    def Create(self, request, context):
        return wire.CreateResponse(id="one", properties=request.properties)
    def Cancel(self, request, context):
        return empty_pb2.Empty()

server = grpc.server(ThreadPoolExecutor(max_workers=8))
provider_pb2_grpc.add_ResourceProviderServicer_to_server(Floor(), server)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
threading.Event().wait()
"""
"""The least that a plugin in Python does: gRPC and the protocol's messages."""


def lake(project: Path, sources: int) -> None:
    """Write a Lotus project with the first so many of the repository's own sources."""
    project.mkdir()
    plugin = {"name": "airbyte", "path": str(REPOSITORY / "toolchain" / "plugins")}
    _settings(project, "lotus", plugin)
    program = (REPOSITORY / "__main__.py").read_text(encoding="utf-8")
    (project / "__main__.py").write_text(f"{COUNT_AT_END}{program}", encoding="utf-8")
    left_out = shutil.ignore_patterns(".schema", *SOURCES[sources:])
    shutil.copytree(REPOSITORY / "streams", project / "streams", ignore=left_out)
    file = project / "streams" / "_destinations" / "s3.json"
    destination = json.loads(file.read_text(encoding="utf-8"))
    destination["configuration"] |= BUCKET
    file.write_text(json.dumps(destination), encoding="utf-8")


def values(sources: int) -> list[str]:
    """The arguments of `pulumi config set-all` for a lake of so many sources."""
    used = SOURCES[:sources]
    named = {**VALUES, **SECRETS}
    own = {name: value for name, value in named.items() if name.split("_")[0] in {"workspaceId", "s3", *used}}
    kinds = {name: "secret" if name in SECRETS else "plaintext" for name in own}
    return [f"--{kinds[name]}=lotus:{name}={value}" for name, value in own.items()]


def floor(project: Path, *, with_plugin: bool) -> None:
    """Write a project of plain Pulumi: one resource of the least plugin, or no resource at all."""
    project.mkdir()
    plugin = project / "pulumi-resource-floor"
    plugin.write_text(FLOOR_PLUGIN.replace("{python}", sys.executable), encoding="utf-8")
    plugin.chmod(0o755)
    _settings(project, "floor", {"name": "floor", "path": str(project)})
    program = ONE_RESOURCE if with_plugin else NO_RESOURCE
    (project / "__main__.py").write_text(program + COUNT_AT_END, encoding="utf-8")


def _settings(project: Path, name: str, plugin: dict[str, str]) -> None:
    settings: dict[str, Any] = {"name": name, "runtime": {"name": "python"}, "plugins": {"providers": [plugin]}}
    (project / "Pulumi.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
