"""A webserver that answers as Dagster's does to the queries of `dagster_runs`; the answers were recorded from one.

`tests/commands/test_real_dagster.py` runs the same story against the real one and against this one.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.http_server import http_server

Answer = dict[str, Any]
START_SECONDS = 1_796_081_882.916229


@dataclass
class ScriptedDagster:
    """What the webserver has.

    Attributes:
        jobs: The deployed jobs, each with the state of its schedule: `RUNNING`, `STOPPED`, or None for no schedule.
        runs: The runs, the newest first, as the webserver shows them.
        events: The events of each run.
        assets: The answer to the query of all assets.
        broken: The message of a code location that is not loaded; empty if it is.
        refuses: The message with which each start and each cancellation is refused; empty if none is.
        begins: The status of a run when it is started.
        asked: The names of the queries and mutations, in their order.
        variables: Their variables.
    """

    jobs: dict[str, str | None] = field(default_factory=dict)
    runs: list[Answer] = field(default_factory=list)
    events: dict[str, list[Answer]] = field(default_factory=dict)
    assets: list[Answer] = field(default_factory=list)
    broken: str = ""
    refuses: str = ""
    begins: str = "QUEUED"
    asked: list[str] = field(default_factory=list)
    variables: list[Answer] = field(default_factory=list)

    def add_run(self, job: str, status: str = "SUCCESS", *, started: float = START_SECONDS, rows: int = 12) -> str:
        """A run, which lasts 7 seconds if it has ended; returns its id."""
        run_id = f"{len(self.runs):08d}-d268-4b22-a5fa-e77a4b3184bf"
        entries = [{"label": "path"}, {"label": "dagster/partition_row_count", "intRepr": str(rows)}]
        run = {
            "runId": run_id,
            "jobName": job,
            "creationTime": started - 4,
            "startTime": started,
            "tags": [{"key": "dagster/code_location", "value": "lotus-lake"}],
            "assetMaterializations": [{"metadataEntries": entries}],
        }
        self.runs.insert(0, run)
        self.drive(run_id, status)
        return run_id

    def drive(self, run_id: str, status: str) -> None:
        """Let a run come to a status."""
        run = next(each for each in self.runs if each["runId"] == run_id)
        ended = status in {"SUCCESS", "FAILURE", "CANCELED"}
        run |= {"status": status, "endTime": run["startTime"] + 7 if ended else None}

    def fail(self, run_id: str, cause: str, step: str = "erp_orders_dlt", *, will_retry: bool = False) -> None:
        """Let a run fail in a step, which materializes nothing then."""
        self.drive(run_id, "FAILURE")
        run = next(each for each in self.runs if each["runId"] == run_id)
        run["assetMaterializations"] = []
        run["tags"] = [*run["tags"], {"key": "dagster/will_retry", "value": str(will_retry).lower()}]
        outer = (
            f'dagster._core.errors.DagsterExecutionStepExecutionError: Error occurred while executing op "{step}":\n'
        )
        error = {"message": outer, "errorChain": [{"error": {"message": f"{cause}\n"}}]}
        self.events[run_id] = [
            {},
            {"stepKey": step, "stepError": error},
            {"runMessage": f"Execution of run for \"x\" failed. Steps failed: ['{step}']."},
        ]

    def retry(self, run_id: str) -> str:
        """Run a failed run again; returns the id of the new run."""
        run = next(each for each in self.runs if each["runId"] == run_id)
        again = self.add_run(run["jobName"], "STARTED")
        run["tags"] = [*run["tags"], {"key": "dagster/auto_retry_run_id", "value": again}]
        return again

    def answer(self, query: str, variables: Answer) -> Answer:
        """The data of an answer."""
        found = re.match(r"(?:query|mutation) (\w+)", query)
        name = found[1] if found is not None else "Assets"
        self.asked.append(name)
        self.variables.append(variables)
        match name:
            case "Assets":
                return {"assetNodes": self.assets}
            case "Jobs":
                return {"workspaceOrError": {"locationEntries": [self._location()]}}
            case "LastRuns":
                return {"runsOrError": {"results": self._chosen(variables)}}
            case "Start":
                return {"started": self._started(variables["params"]["selector"])}
            case "Cancel":
                return {"cancelled": self._cancelled(variables["run"])}
            case "Events":
                return {"logsForRun": self._page(variables["run"], variables["after"])}
        raise AssertionError(query)

    def _location(self) -> Answer:
        if self.broken:
            return {"name": "lotus-lake", "locationOrLoadError": {"message": self.broken}}
        schedules = [
            {
                "pipelineName": job,
                "scheduleState": {"status": status},
                "futureTicks": {"results": [{"timestamp": 1_796_101_200.0}]},
            }
            for job, status in self.jobs.items()
            if status is not None
        ]
        jobs = [{"name": name} for name in ["__ASSET_JOB", *self.jobs]]
        repository = {"name": "__repository__", "jobs": jobs, "schedules": schedules}
        return {"name": "lotus-lake", "locationOrLoadError": {"repositories": [repository]}}

    def _chosen(self, variables: Answer) -> list[Answer]:
        wanted = variables["filter"]
        found = [
            each
            for each in self.runs
            if each["jobName"] == wanted.get("pipelineName", each["jobName"])
            and each["runId"] in wanted.get("runIds", [each["runId"]])
            and each["status"] in wanted.get("statuses", [each["status"]])
        ]
        return found[: variables["limit"]]

    def _started(self, selector: Answer) -> Answer:
        if self.refuses:
            return {"message": self.refuses}
        if selector["jobName"] not in self.jobs:
            place = f"{selector['repositoryLocationName']}.{selector['repositoryName']}.{selector['jobName']}"
            return {"message": f"Could not find Pipeline {place}"}
        self.add_run(selector["jobName"], self.begins)
        run = self.runs[0]
        # A run that waits has not started, and has materialized nothing.
        return {"run": run | {"startTime": None, "assetMaterializations": []}}

    def _cancelled(self, run_id: str) -> Answer:
        run = next((each for each in self.runs if each["runId"] == run_id), None)
        if run is None:
            return {"message": f"Pipeline run {run_id} could not be found."}
        if run["endTime"] is not None:
            return {"message": f"Run {run_id} could not be terminated due to having status {run['status']}"}
        self.drive(run_id, "CANCELED")
        return {"run": run}

    def _page(self, run_id: str, after: str | None) -> Answer:
        """One event a page."""
        events, at = self.events.get(run_id, []), int(after or 0)
        return {"events": events[at : at + 1], "cursor": str(at + 1), "hasMore": at + 1 < len(events)}


@contextmanager
def serving(dagster: ScriptedDagster) -> Iterator[str]:
    """The address of a webserver."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({"data": dagster.answer("{ assetNodes }", {})})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send({"data": dagster.answer(asked["query"], asked["variables"])})

        def _send(self, document: Answer) -> None:
            content = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Says nothing."""

    with http_server(Handler) as address:
        yield address
