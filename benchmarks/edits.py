"""Which edits made in Airbyte a preview sees: one source, destination and connection, edited one way at a time.

Usage: `python benchmarks/edits.py [--peer FOLDER] [--json]`. A row is of one edit: `tool edit seen`. Each edit is made
through Airbyte's API, as its pages make it, previewed with a refresh, and undone; a tool whose preview is not empty
before the first edit is an error. FOLDER holds `terraform` (or `tofu`) and `terraform-provider-airbyte`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._cost import BenchmarkError
from benchmarks._scale_lake import DESTINATION, SOURCE
from benchmarks.scale import engine_path, local_provider, peers, running_twin

PROGRAM: Final = """
import json
from pathlib import Path

import pulumi_airbyte as airbyte

lake = json.loads(Path("lake.json").read_text())
place = {"workspace_id": lake["workspace"]}
source = airbyte.Source("shop", definition_id=lake["source"], configuration={"host": "shop.example"}, **place)
bucket = airbyte.Destination("lake", definition_id=lake["destination"], configuration={"path": "raw"}, **place)
airbyte.Connection(
    "shop",
    name="shop",
    source_id=source.source_id,
    destination_id=bucket.destination_id,
    prefix="shop_",
    schedule=airbyte.ConnectionScheduleArgs("manual"),
    status="active",
    configurations=airbyte.ConnectionConfigurationsArgs(
        [
            airbyte.ConnectionConfigurationsStreamArgs("customers", "incremental_append"),
            airbyte.ConnectionConfigurationsStreamArgs("orders", "incremental_append", selected_fields=lake["fields"]),
        ]
    ),
)
"""
TERRAFORM: Final = """
terraform {
  required_providers {
    airbyte = { source = "airbytehq/airbyte" }
  }
}
locals {
  lake = jsondecode(file("lake.json"))
}
provider "airbyte" {
  server_url = "${local.lake.url}/"
}
resource "airbyte_source" "shop" {
  name          = "shop"
  workspace_id  = local.lake.workspace
  definition_id = local.lake.source
  configuration = jsonencode({ host = "shop.example" })
}
resource "airbyte_destination" "lake" {
  name          = "lake"
  workspace_id  = local.lake.workspace
  definition_id = local.lake.destination
  configuration = jsonencode({ path = "raw" })
}
resource "airbyte_connection" "shop" {
  name           = "shop"
  source_id      = airbyte_source.shop.source_id
  destination_id = airbyte_destination.lake.destination_id
  prefix         = "shop_"
  schedule       = { schedule_type = "manual" }
  status         = "active"
  configurations = {
    streams = [
      { name = "customers", sync_mode = "incremental_append" },
      {
        name            = "orders"
        sync_mode       = "incremental_append"
        selected_fields = [for field in local.lake.fields : { field_path = [field] }]
      },
    ]
  }
}
"""
FIELDS: Final = ["id", "updated_at", "email"]
MAPPED: Final = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}

Stream = dict[str, Any]


def _selecting(*fields: str) -> Stream:
    return {"selectedFields": [{"fieldPath": [field]} for field in fields]}


STREAM_EDITS: Final[Mapping[str, tuple[str, Stream]]] = {
    "a field is deselected in a list of fields": ("orders", _selecting("id", "updated_at")),
    "a field is selected beside a list of fields": ("orders", _selecting(*FIELDS, "currency")),
    "a field is deselected where code takes all": ("customers", _selecting(*FIELDS)),
    "a sync mode is changed": ("orders", {"syncMode": "full_refresh_append"}),
    "a field is hashed by a mapper": ("orders", {"mappers": [{"type": "hashing", "mapperConfiguration": MAPPED}]}),
    "a stream is removed": ("orders", {}),
}
EDITS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "the source is renamed": ("sources", {"name": "renamed"}),
    "a setting of the source is changed": ("sources", {"configuration": {"host": "elsewhere.example"}}),
    "a setting of the destination is changed": ("destinations", {"configuration": {"path": "elsewhere"}}),
    "the connection is renamed": ("connections", {"name": "renamed"}),
    "the connection is paused": ("connections", {"status": "inactive"}),
    "the prefix is changed": ("connections", {"prefix": "other_"}),
    "the schedule is changed": ("connections", {"schedule": {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}}),
    "a namespace is set where code has none": ("connections", {"namespaceDefinition": "source"}),
}


@dataclass(frozen=True)
class Airbyte:
    """The public API of a twin, whose objects are one of each kind."""

    root: str

    def one(self, kind: str) -> dict[str, Any]:
        """The object of a kind."""
        [listed] = self._call("GET", kind)["data"]
        found: dict[str, Any] = self._call("GET", f"{kind}/{listed[_id(kind)]}")
        return found

    def edit(self, kind: str, change: Mapping[str, Any]) -> None:
        """Change it."""
        self._call("PATCH", f"{kind}/{self.one(kind)[_id(kind)]}", dict(change))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.request(method, f"{self.root}/{path}", json=body, trust_env=False)
        if answer.is_error:
            raise BenchmarkError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()


def _id(kind: str) -> str:
    return f"{kind.removesuffix('s')}Id"


def edits(airbyte: Airbyte) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
    """For each edit its name, the kind of its object, the change, and what undoes it."""
    for name, (kind, change) in EDITS.items():
        before = airbyte.one(kind)
        yield name, kind, change, {key: before[key] for key in change}
    for name, (stream, change) in STREAM_EDITS.items():
        streams = _writable(airbyte.one("connections")["configurations"]["streams"])
        edited = [each | change if each["name"] == stream else each for each in streams]
        if not change:
            edited = [each for each in streams if each["name"] != stream]
        undone = {"configurations": {"streams": streams}}
        yield name, "connections", {"configurations": {"streams": edited}}, undone


def _writable(streams: list[Stream]) -> list[Stream]:
    """Streams as they may be sent back: the server answers with an empty list for all fields, and refuses one."""
    return [{key: value for key, value in each.items() if (key, value) != ("selectedFields", [])} for each in streams]


@dataclass(frozen=True)
class Tool:
    """A tool whose project is in a folder.

    Attributes:
        name: such as `pulumi`.
        folder: of the project.
        environment: of its commands.
        apply: the command that applies it.
        preview: the command that previews it, with a refresh.
        changed: the exit code of a preview that is not empty.
    """

    name: str
    folder: Path
    environment: Mapping[str, str]
    apply: Sequence[str]
    preview: Sequence[str]
    changed: int

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run one of its commands to its end."""
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def sees(self) -> bool:
        """Whether its preview shows a change.

        Raises:
            BenchmarkError: it failed.
        """
        shown = self.run(self.preview)
        if shown.returncode not in {0, self.changed}:
            raise BenchmarkError(f"{self.name}: exit code {shown.returncode}: {shown.stdout}{shown.stderr}")
        return shown.returncode == self.changed


def pulumi(folder: Path, url: str) -> Tool:
    """This repository's provider, in a plain program."""
    (folder / "state").mkdir()
    plugin = {"name": "airbyte", "path": str(Path(sys.executable).parent)}
    settings = {"name": "edits", "runtime": {"name": "python"}, "plugins": {"providers": [plugin]}}
    (folder / "Pulumi.yaml").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    own = {
        "PATH": engine_path(),
        "AIRBYTE_SERVER_URL": url,
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "benchmark",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    others = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "AIRBYTE_"))}
    command = ["pulumi", "--non-interactive"]
    preview = [*command, "preview", "--refresh", "--expect-no-changes"]
    tool = Tool("pulumi", folder, others | own, [*command, "up", "--yes", "--skip-preview"], preview, 7)
    tool.run([*command, "stack", "init", "edits"])
    return tool


def terraform(folder: Path, peer: Path) -> Tool:
    """The official provider.

    Raises:
        BenchmarkError: an executable is missing.
    """
    tools, provider = peers(peer)
    (folder / "main.tf").write_text(TERRAFORM, encoding="utf-8")
    (folder / "terraformrc").write_text(local_provider(provider.parent), encoding="utf-8")
    environment = os.environ | {"TF_CLI_CONFIG_FILE": str(folder / "terraformrc"), "CHECKPOINT_DISABLE": "1"}
    command = [str(tools[0])]
    plan = [*command, "plan", "-no-color", "-input=false", "-detailed-exitcode"]
    return Tool("terraform", folder, environment, [*command, "apply", "-no-color", "-auto-approve"], plan, 2)


def rows(tool_of: Callable[[Path, str], Tool]) -> Iterator[dict[str, Any]]:
    """A row for each edit.

    Raises:
        BenchmarkError: the tool failed, or its preview is not empty before an edit.
    """
    with tempfile.TemporaryDirectory(prefix="lotus-edits-") as name, running_twin(Path(name), 0) as twin:
        folder = Path(name) / "project"
        folder.mkdir()
        url = f"{twin.url}/api/public/v1"
        [workspace] = httpx.get(f"{url}/workspaces", trust_env=False).json()["data"]
        lake = {"url": url, "workspace": workspace["workspaceId"], "source": SOURCE, "destination": DESTINATION}
        (folder / "lake.json").write_text(json.dumps(lake | {"fields": FIELDS}), encoding="utf-8")
        tool = tool_of(folder, url)
        applied = tool.run(tool.apply)
        if applied.returncode != 0 or tool.sees():
            raise BenchmarkError(f"{tool.name}: the preview is not empty after this: {applied.stdout}{applied.stderr}")
        airbyte = Airbyte(url)
        for edit, kind, change, undone in edits(airbyte):
            airbyte.edit(kind, change)
            yield {"tool": tool.name, "edit": edit, "seen": tool.sees()}
            airbyte.edit(kind, undone)
            if tool.sees():
                raise BenchmarkError(f"{tool.name}: the preview is not empty once this is undone: {edit}")


def main() -> int:
    """Print the rows, as a table or as one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, metavar="FOLDER", help="also Terraform, with the official provider there")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    try:
        found = list(rows(pulumi))
        if options.peer is not None:
            found += rows(lambda folder, _: terraform(folder, options.peer))
    except BenchmarkError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if options.json:
        sys.stdout.write(json.dumps({"benchmark": "edits", "rows": found}, indent=2) + "\n")
        return 0
    for row in found:
        sys.stdout.write(f"{row['tool']:10} {'seen' if row['seen'] else '-':5} {row['edit']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
