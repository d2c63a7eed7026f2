"""Ctrl-C in the middle of an `up`."""

import os
import signal

import httpx

from tests.engine.lake import Lake


def test_an_interrupted_up_finishes_what_runs_and_the_next_one_the_rest(lake: Lake) -> None:
    slow_discovery = {"method": "POST", "path": "connections$", "delay": 2, "times": None}
    httpx.post(f"{lake.twin.url}/_twin/faults", json=slow_discovery).raise_for_status()
    process = lake.pulumi.start("up", "--yes", "--skip-preview")
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "Connection" in line and "creating" in line:
            break

    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)

    shown = "".join(seen) + stdout + stderr
    assert process.returncode not in {0, -signal.SIGINT}
    assert "Traceback" not in shown
    assert lake.pulumi.locks() == []
    assert not lake.pulumi.stack_export().get("pending_operations")
    httpx.delete(f"{lake.twin.url}/_twin/faults").raise_for_status()
    lake.pulumi.up().ok()
    assert [item["name"] for item in lake.live("connections")] == ["Faker → S3", "Klaviyo → S3", "Shopify → S3"]
    assert [item["name"] for item in lake.live("sources")] == ["Faker", "Klaviyo", "Shopify"]
    assert lake.changes() == []
