"""How long `lotus check` takes, and how much memory, on a lake of a given size.

It writes a lake to a temporary folder, checks it in a fresh process and prints one JSON document: sources, streams,
files, bytes, seconds (wall, start of Python included), peak_mb (largest resident set of that process) and problems.
With `--models`, a dbt project that `lotus scaffold --all` writes is held against the lake too: scaffold_seconds and
models. With `--stacks`, the lake is in a project with so many stacks, each of which leaves out a tenth of the sources
and writes all others to another destination, by another schedule.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lotus_infra.commands.scaffold import scaffold_all

SELECTED_FIELDS = 15
DISCOVERED_FIELDS = 30
TYPES = ("string", "integer", "number", "boolean")


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=20, help="streams in each source")
    parser.add_argument("--models", action="store_true", help="write and check a dbt project with a model per stream")
    parser.add_argument("--stacks", type=int, default=0, help="stacks with an overlay of every source")
    parser.add_argument("--json", action="store_true", help="print one JSON document (the only form)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lotus-lake-") as folder:
        lake = Path(folder) / "streams"
        write_lake(lake, arguments.sources, arguments.streams)
        write_stacks(lake, arguments.stacks)
        row: dict[str, object] = {"sources": arguments.sources, "streams": arguments.sources * arguments.streams}
        project = Path(folder) / "dbt" if arguments.models else None
        if project is not None:
            row["scaffold_seconds"] = write_models(lake, project)
        print(json.dumps(row | measure(lake, project)))


def write_models(lake: Path, project: Path) -> float:
    """Write a dbt project with a model for each stream, and say how long that took."""
    project.mkdir()
    (project / "dbt_project.yml").write_text("name: lotus\n")
    started = time.perf_counter()
    scaffold_all(lake, dbt=project)
    return round(time.perf_counter() - started, 3)


def measure(lake: Path, project: Path | None = None) -> dict[str, object]:
    """Check a lake in a fresh process, and say what it cost."""
    files = [file for folder in (lake, project) if folder for file in folder.rglob("*") if file.is_file()]
    started = time.perf_counter()
    command = [sys.executable, "-m", "lotus_infra.commands.cli", "check", "--streams", str(lake), "--json"]
    command += ["--dbt", str(project)] if project is not None else []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        output = process.stdout.read() if process.stdout is not None else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    report = json.loads(output)
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return {
        "files": len(files),
        "bytes": sum(file.stat().st_size for file in files),
        "seconds": round(seconds, 3),
        "peak_mb": round(usage.ru_maxrss / unit, 1),
        "models": report["models"],
        "problems": len(report["problems"]),
    }


def write_lake(lake: Path, sources: int, streams: int) -> None:
    """Write a lake without mistakes: pinned connectors, one destination, and `streams` streams in each source."""
    own = Path(__file__).parent.parent / "streams"
    for folder in ("_connectors", "_destinations"):
        (lake / folder).mkdir(parents=True)
        for file in (own / folder).iterdir():
            (lake / folder / file.name).write_bytes(file.read_bytes())
    source_file = json.loads((own / "shopify" / "_source.json").read_bytes())
    for number in range(sources):
        source = lake / f"source_{number:04d}"
        (source / "_discovered").mkdir(parents=True)
        settings = {key: value for key, value in source_file.items() if key not in {"name", "namespace"}}
        (source / "_source.json").write_text(json.dumps(settings, indent=2))
        for index in range(streams):
            stream, discovered = documents(f"stream_{index:02d}")
            (source / f"stream_{index:02d}.json").write_text(json.dumps(stream, indent=2))
            (source / "_discovered" / f"stream_{index:02d}.json").write_text(json.dumps(discovered, indent=2))


def write_stacks(lake: Path, stacks: int) -> None:
    """Write a project around the lake, with a file and an overlay for each stack; nothing without stacks."""
    if not stacks:
        return
    (lake.parent / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    s3 = json.loads((lake / "_destinations" / "s3.json").read_bytes())
    (lake / "_destinations" / "other.json").write_text(json.dumps(s3 | {"name": "Other"}))
    (lake / "_stacks").mkdir()
    names = sorted(folder.name for folder in lake.iterdir() if not folder.name.startswith("_"))
    values = Path(__file__).parent.parent / "Pulumi.prod.yaml"
    for number in range(stacks):
        text = values.read_text(encoding="utf-8").replace("  lotus:klaviyo_api_key:\n    secure: ", "#")
        (lake.parent / f"Pulumi.stack{number}.yaml").write_text(text)
        other = {"destination": "other", "schedule": {"type": "cron", "cron": f"0 {number + 7} 3 * * ?"}}
        left_out = {"deployed": False}
        sources = {name: left_out if index % 10 == 0 else other for index, name in enumerate(names)}
        (lake / "_stacks" / f"stack{number}.json").write_text(json.dumps({"sources": sources}, indent=2))


def documents(name: str) -> tuple[dict[str, object], dict[str, object]]:
    """A stream's file and what was discovered of it: flat fields, one object and one array of objects."""
    fields: dict[str, object] = {"id": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"}}
    fields["address"] = {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "string"}}}
    fields["lines"] = {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}
    for number in range(len(fields), DISCOVERED_FIELDS):
        fields[f"field_{number:02d}"] = {"type": TYPES[number % len(TYPES)]}
    stream = {
        "stream": name,
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
        "backfill": False,
        "primary_key": [["id"]],
        "cursor_field": ["updated_at"],
        "selected": True,
        "fields": dict(list(fields.items())[:SELECTED_FIELDS]),
    }
    discovered = {
        "stream": name,
        "options": {"sync_modes": ["full_refresh", "incremental"]},
        "defaults": {"primary_key": [["id"]], "cursor_field": ["updated_at"]},
        "source_defined_cursor": True,
        "source_defined_primary_key": [["id"]],
        "fields": fields,
    }
    return stream, discovered


if __name__ == "__main__":
    main()
