"""Steps of dbt-coves: its caller of Airbyte's API, its generator of Airflow tasks, and its commands."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dbt_coves.tasks.generate.airflow_generators.airbyte import AirbyteGenerator
from dbt_coves.utils.api_caller import AirbyteApiCaller
from worker import serve

PROJECT = {
    "dbt_project.yml": "name: lake\nprofile: lake\nversion: '1'\n",
    "profiles.yml": "lake: {target: dev, outputs: {dev: {type: none}}}\n",
}


def methods(twin: dict[str, Any]) -> Any:
    """Names of the caller's public methods."""
    return sorted(name for name in vars(AirbyteApiCaller) if not name.startswith("_"))


def call(twin: dict[str, Any], method: str, token: str | None = None, **arguments: Any) -> Any:
    """What a method of the caller returns, or a list that it has from the start."""
    found = getattr(AirbyteApiCaller(twin["url"], api_key=token), method)
    return found(**arguments) if callable(found) else found


def tasks(twin: dict[str, Any], **arguments: Any) -> Any:
    """The Airflow tasks that it generates."""
    host, _, port = twin["url"].rpartition(":")
    generator = AirbyteGenerator(host=host, port=port, airbyte_conn_id="airbyte", **arguments)
    return {"imports": generator.imports, "tasks": dict(generator.generate_tasks())}


def pipelines(twin: dict[str, Any], **arguments: Any) -> Any:
    """The connections that it finds behind a table."""
    host, _, port = twin["url"].rpartition(":")
    return AirbyteGenerator(host=host, port=port).get_pipeline_connection_ids(**arguments)


def command(twin: dict[str, Any], verb: str, files: dict[str, Any]) -> Any:
    """Runs `dbt-coves extract|load airbyte` in a folder of files; its output, code and files."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in PROJECT.items():
            (root / name).write_text(text)
        for name, document in files.items():
            (root / "airbyte" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "airbyte" / name).write_text(json.dumps(document))
        (root / "airbyte").mkdir(exist_ok=True)
        program = [str(Path(sys.prefix) / "bin" / "dbt-coves"), verb, "airbyte", "--path", "airbyte"]
        host, _, port = twin["url"].rpartition(":")
        options = ["--host", host, "--port", port]
        secrets = ["--secrets-path", "airbyte/secrets"] if verb == "load" else []
        done = subprocess.run([*program, *options, *secrets], cwd=root, capture_output=True, text=True, check=False)
        found = [file for file in (root / "airbyte").rglob("*") if file.is_file()]
        left = {str(file.relative_to(root / "airbyte")): json.loads(file.read_text()) for file in found}
        return {"code": done.returncode, "output": done.stdout + done.stderr, "files": left}


if __name__ == "__main__":
    serve({"methods": methods, "call": call, "tasks": tasks, "pipelines": pipelines, "command": command})
