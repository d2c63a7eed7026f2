"""A production stack on the real engine, started from a shell that means another state."""

from pathlib import Path

from lotus_infra.config.backend import Backend
from tests.engine.harness import Pulumi
from tests.engine.lake import Lake


def test_a_production_stack_on_a_local_backend_is_refused_before_any_call(lake: Lake) -> None:
    lake.pulumi.config_set("lotus:production", "true")
    lake.twin.clear_calls()

    for refused in (lake.pulumi.preview().failed(), lake.pulumi.up().failed()):
        assert "the stack test is marked lotus:production, and may not run like this" in refused.output
        assert "Pulumi.yaml names no backend" in refused.output
        assert "unset PULUMI_BACKEND_URL" in refused.output
        assert f"$AIRBYTE_SERVER_URL decides: {lake.twin.public_url}" in refused.output
        assert "Traceback" not in refused.output
    assert lake.twin.calls() == []
    assert lake.pulumi.locks() == []


def test_the_backend_is_the_one_that_the_command_line_chooses(pulumi: Pulumi, tmp_path: Path) -> None:
    addresses = {}
    for name in ("environment", "declared", "login"):
        (tmp_path / name).mkdir()
        addresses[name] = (tmp_path / name).as_uri()
    definition = pulumi.project / "Pulumi.yaml"
    plain = definition.read_text(encoding="utf-8")
    pulumi.run("login", addresses["login"]).ok()

    for variable, declared, by in (
        (addresses["environment"], addresses["declared"], "$PULUMI_BACKEND_URL"),
        ("", addresses["declared"], "Pulumi.yaml"),
        ("", "", "pulumi login"),
    ):
        pulumi.environment["PULUMI_BACKEND_URL"] = variable
        definition.write_text(plain.replace("{", f'{{"backend": {{"url": "{declared}"}},', 1), encoding="utf-8")

        chosen = Backend.chosen(declared, pulumi.environment)

        assert chosen.chosen_by == by
        assert f"Backend URL: {chosen.url}\n" in pulumi.run("whoami", "--verbose").ok().stdout
