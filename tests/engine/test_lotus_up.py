"""`lotus up` on the real engine: no checkpoints for many new objects, and a state that is compressed and whole."""

from collections.abc import Sequence

import pytest

from lotus_infra.commands.up import run_up
from lotus_infra.errors import LotusError
from tests.engine.lake import PROGRAM, Lake

ZSTD = b"\x28\xb5\x2f\xfd"
TELLS = 'import os\npulumi.export("unchecked", os.environ.get("PULUMI_SKIP_CHECKPOINTS"))\n'


def run(lake: Lake, told: list[str], arguments: Sequence[str] = ("--yes", "--skip-preview"), bulk: int = 200) -> int:
    pulumi = lake.pulumi
    streams = pulumi.project / "streams"
    return run_up(streams, pulumi.stack, arguments, told.append, bulk=bulk, environment=pulumi.environment)


def test_many_new_objects_are_created_without_checkpoints_into_a_whole_compressed_state(lake: Lake) -> None:
    lake.pulumi.program(PROGRAM + TELLS)
    told: list[str] = []

    assert run(lake, told, bulk=6) == 0

    assert lake.pulumi.outputs()["unchecked"] == "true"
    [line] = told
    assert line.startswith("7 objects are to be created: PULUMI_SKIP_CHECKPOINTS=true")
    made = [each for each in lake.pulumi.resources().values() if each["type"].startswith("airbyte:")]
    assert len(made) == 7
    [state] = (lake.pulumi.state / ".pulumi" / "stacks").rglob("test.json.zst")
    assert not state.with_suffix("").exists()
    assert state.read_bytes().startswith(ZSTD)

    assert run(lake, told, bulk=6) == 0

    assert "unchecked" not in lake.pulumi.outputs()
    assert told == [line]


def test_a_stack_that_adopts_nothing_keeps_its_checkpoints(lake: Lake) -> None:
    lake.pulumi.program(PROGRAM + TELLS)
    lake.pulumi.config_set("airbyte:adoptExisting", "never")
    told: list[str] = []

    assert run(lake, told, bulk=6) == 0

    assert "unchecked" not in lake.pulumi.outputs()
    [line] = told
    assert line.startswith("7 objects are to be created, with checkpoints")
    assert "airbyte:index/connection:Connection" in line


def test_the_engines_exit_code_is_given_back(lake: Lake) -> None:
    lake.pulumi.program("raise SystemExit(3)")

    assert run(lake, []) not in {0, None}


def test_a_missing_stack_or_engine_is_one_error(lake: Lake) -> None:
    streams = lake.pulumi.project / "streams"

    with pytest.raises(LotusError, match="stack export failed: no stack named 'other' found"):
        run_up(streams, "other", [], print, environment=lake.pulumi.environment)
    with pytest.raises(LotusError, match="there is no pulumi on PATH"):
        run_up(streams, "test", [], print, environment={"PATH": ""})
