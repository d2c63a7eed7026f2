"""Seconds until Dagster has the definitions of a lake of many streams, offline, in a fresh process.

`python benchmarks/definitions.py --streams 1000 [--json]` writes stream files and a dbt manifest to a temporary folder:
the manifest is this repository's, with the nodes of one stream repeated under other names. The dbt project itself is
not parsed: an image brings its manifest along. `seconds` is the whole process, `load_seconds` without the imports.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lotus_dagster.definitions import DBT_PROJECT, STREAMS, current_manifest

A_SOURCE = 20
TEMPLATE = "faker", "products"

LOAD = """
import json, sys, time
from pathlib import Path
from lotus_dagster.definitions import DBT_PROJECT, definitions_of
from lotus_dagster.lake import streams_of
from lotus_dagster.manifest import Manifest
began = time.perf_counter()
root = Path(sys.argv[1])
made = definitions_of(streams_of(root / "streams"), Manifest.read(root / "manifest.json"), DBT_PROJECT)
graph = made.get_repository_def().asset_graph
seconds = time.perf_counter() - began
print(json.dumps({"load_seconds": round(seconds, 3), "assets": len(graph.get_all_asset_keys()),
                  "sensors": len(list(made.sensors))}))
"""


def names(streams: int) -> list[tuple[str, str]]:
    """Source and stream, in folders of twenty."""
    return [(f"source_{number // A_SOURCE}", f"stream_{number % A_SOURCE}") for number in range(streams)]


def write_streams(folder: Path, streams: int) -> None:
    """Write the stream files of a lake."""
    stream = json.loads((STREAMS / TEMPLATE[0] / f"{TEMPLATE[1]}.json").read_text())
    source = (STREAMS / TEMPLATE[0] / "_source.json").read_text()
    for source_name, name in names(streams):
        file = folder / source_name / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(stream | {"stream": name}))
        (file.parent / "_source.json").write_text(source)


def write_manifest(file: Path, streams: int) -> None:
    """Write the manifest that dbt would make of that lake."""
    whole = json.loads(current_manifest(DBT_PROJECT).read_bytes())
    source, stream = TEMPLATE
    model = f"model.lotus.int_{source}__{stream}"
    table = f"source.lotus.{source}.{stream}"
    tests = [name for name, node in whole["nodes"].items() if node.get("attached_node") == model]
    template = json.dumps(
        {
            "nodes": {name: whole["nodes"][name] for name in (model, *tests)},
            "sources": {table: whole["sources"][table]},
            "parent_map": {name: whole["parent_map"][name] for name in (model, table, *tests)},
            "child_map": {name: [*tests] if name == model else [] for name in (model, table, *tests)},
        }
    )
    made: dict[str, dict[str, object]] = {"nodes": {}, "sources": {}, "parent_map": {}, "child_map": {}}
    for source_name, name in names(streams):
        renamed = template.replace(f"{source}__{stream}", f"{source_name}__{name}")
        renamed = renamed.replace(f"lotus.{source}.{stream}", f"lotus.{source_name}.{name}")
        renamed = renamed.replace(f'"source_name": "{source}"', f'"source_name": "{source_name}"')
        renamed = renamed.replace(f'"name": "{stream}"', f'"name": "{name}"')
        for part, content in json.loads(renamed).items():
            made[part] |= content
    file.write_text(json.dumps(whole | made))


def measure(streams: int) -> dict[str, int | float]:
    """Load such a lake in a process of its own, without an environment."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_streams(root / "streams", streams)
        write_manifest(root / "manifest.json", streams)
        environment = {"PATH": os.environ["PATH"], "HOME": folder}
        began = time.perf_counter()
        ran = subprocess.run([sys.executable, "-c", LOAD, folder], env=environment, check=True, capture_output=True)
        seconds = round(time.perf_counter() - began, 3)
    return {"streams": streams, "seconds": seconds, **json.loads(ran.stdout)}


def main() -> int:
    """Print the row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    row = measure(options.streams)
    if options.json:
        print(json.dumps({"benchmark": "definitions", **row}, indent=2))
    else:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
