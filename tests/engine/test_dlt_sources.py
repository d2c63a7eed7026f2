"""A source that dlt reads in a stack without Dagster. `tests/cluster/test_dlt_sources.py` has it with Dagster."""

import json

from tests.engine.lake import Lake
from tests.support.dlt_lake import VALUES, write_source


def test_a_stack_without_dagster_refuses_the_source_until_its_overlay_leaves_it_out(applied: Lake) -> None:
    pulumi = applied.pulumi
    write_source(pulumi.project)
    pulumi.config_set("lotus:erp_url", VALUES["erp_url"])
    pulumi.config_set("lotus:erp_api_key", VALUES["erp_api_key"], secret=True)

    refused = pulumi.preview().failed().output

    assert "dlt reads the source erp in runs of Dagster, and this stack deploys no Dagster" in refused
    assert '"deployed": false in _stacks/test.json' in refused
    assert "Traceback" not in refused
    assert applied.writes() == []

    overlay = pulumi.project / "streams" / "_stacks" / "test.json"
    overlay.parent.mkdir(exist_ok=True)
    overlay.write_text(json.dumps({"sources": {"erp": {"deployed": False}}}), encoding="utf-8")
    for name in VALUES:
        pulumi.run("config", "rm", f"lotus:{name}").ok()
    assert applied.changes() == []
