"""Quartz cron, as the server reads and writes it."""

import pytest
from pulumi_airbyte.provider.schedule import canonical_cron, cron_problem


@pytest.mark.parametrize("read", ["0 0 * * * ? UTC", "0  0 * * * ?", " 0 0 * * * ? "])
def test_what_the_server_reads_back_is_what_was_sent(read: str) -> None:
    assert canonical_cron(read) == "0 0 * * * ?"


def test_another_zone_is_a_difference() -> None:
    assert canonical_cron("0 0 * * * ? America/New_York") != "0 0 * * * ?"


@pytest.mark.parametrize("sound", ["0 0 * * * ?", "0 0,20,40 * * * ? UTC", "0 15 10 ? * MON-FRI 2027"])
def test_a_sound_expression_has_no_problem(sound: str) -> None:
    assert cron_problem(sound) == ""


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("0 * * * *", "5 fields"),
        ("* 0 * * * ?", "seconds as a number"),
        ("0 * 10 * * ? 2027", "minutes as a number"),
        ("0 0 * * * ? Europe/Berlin", "knows only UTC"),
        ("", "0 fields"),
    ],
)
def test_a_broken_expression_is_refused_with_a_reason(broken: str, reason: str) -> None:
    assert reason in cron_problem(broken)
