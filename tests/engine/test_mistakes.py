"""A lake with mistakes is refused whole, before anything is asked of Airbyte."""

import shutil

from lotus_infra.commands.check import check_lake_files
from tests.engine.lake import Lake
from tests.support.broken_lake import UNSET_SECRET, VALUES, expected_line, write_broken_lake


def test_a_preview_refuses_the_same_list_that_lotus_check_prints_and_calls_nothing(lake: Lake) -> None:
    streams = lake.pulumi.project / "streams"
    shutil.rmtree(streams)
    mistakes = write_broken_lake(streams)
    for name in sorted(VALUES):
        lake.pulumi.config_set(f"lotus:{name}", "given")

    refused = lake.pulumi.preview().failed().output

    assert len(mistakes) >= 30
    for mistake in mistakes:
        assert f"streams/{mistake.file}:{expected_line(streams, mistake)}: {mistake.field}" in refused
    for problem in check_lake_files(streams, ["test"]).problems:
        assert f"{problem.what}: {problem.remedy}" in refused
    assert UNSET_SECRET in refused
    assert lake.twin.calls() == []


def test_one_mistake_stops_everything_that_is_sound_too(applied: Lake) -> None:
    applied.edit("faker/users.json", lambda stream: stream.update(cursor_field=["nowhere"]))
    applied.edit("shopify/orders.json", lambda stream: stream["fields"].pop("total_tax"))

    refused = applied.pulumi.up().failed().output

    assert "streams/faker/users.json:" in refused
    assert "Traceback" not in refused
    assert applied.twin.calls() == []
