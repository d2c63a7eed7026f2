"""Which schedules the server takes: the rule that `lotus check` and the provider share."""

import pytest
from airbyte_model.schedules import cron_flaw, interval_flaw, interval_of, split_zone, zone_flaw
from hypothesis import given
from hypothesis import strategies as st

TAKEN = [
    "0 0 * * * ?",
    "0 */5 * * * ?",
    "30 5/15 8-18 ? * MON-FRI",
    "0 0 22-2 ? * 2,4,6",
    "0 0 12 L * ?",
    "0 0 12 LW * ?",
    "0 0 12 L-3 * ?",
    "0 0 12 15W * ?",
    "0 0 12 1,15 jan,JUL ?",
    "0 0 12 ? * L",
    "0 0 12 ? * 6L",
    "0 0 12 ? * FRI#2",
    "0 0 12 1 1 ? 2027",
    "0 0 12 1 1 ? 2027-2030",
    "0 0 12 1 1 ? 2027/2",
    "0 0 12 L-31 * ?",
    "0 0 12 1,LW,L-3,15W * ?",
    "0 0 12 ? * 6#7",
    "0 /20 12 ? * FRIL",
    "0 0 22-2/2 ? * SAT-MON",
    # The longest step of each part.
    "0 */59 * * * ?",
    "0 0 */23 ? * MON",
    "0 0 0 */31 * ?",
    "0 0 0 1 */12 ?",
    "0 0 0 ? * */7",
    "0 0 0 1 1 ? 2027/130",
]

REFUSED = [
    ("", "has 0 parts instead of 6 or 7"),
    ("@hourly", "has 1 parts instead of 6 or 7"),
    ("0 * * * *", "has 5 parts instead of 6 or 7"),
    ("0 0 * * * ? 2027 1", "has 8 parts instead of 6 or 7"),
    ("* 0 * * * ?", "seconds must be a number"),
    ("0/10 0 * * * ?", "seconds must be a number"),
    ("0 */5 * * * ? 2027", "minutes must be a number when a year is given"),
    ("0 0 * * * *", "exactly one of day of month and day of week must be ?"),
    ("0 0 * ? * ?", "exactly one of day of month and day of week must be ?"),
    ("60 0 * * * ?", '"60" is no second'),
    ("0 60 * * * ?", '"60" is no minute'),
    ("0 0 24 * * ?", '"24" is no hour'),
    ("0 0 0 32 * ?", '"32" is no day of month'),
    ("0 0 0 1 13 ?", '"13" is no month'),
    ("0 0 0 1 ? ?", '"?" is no month'),
    ("0 0 0 ? * 8", '"8" is no day of week'),
    ("0 0 0 ? * MOO", '"MOO" is no day of week'),
    ("0 0 0 1 1 ? 1969", '"1969" is no year'),
    ("0 0 0 1 1 ? 2030-2027", '"2030-2027" is no year'),
    ("0 0 0 1 1 ? 2027/131", '"2027/131" is no year'),
    ("0 30/60 * * * ?", '"30/60" is no minute'),
    ("0 0 */25 ? * MON", '"*/25" is no hour'),
    ("0 0 0 L-32 * ?", '"L-32" is no day of month'),
    ("0 0 0 32W * ?", '"32W" is no day of month'),
    ("0 0 0 ? * MONL,TUEL", '"MONL,TUEL" is no day of week'),
    ("0 0 0 ? * MOO#1", '"MOO#1" is no day of week'),
    ("0 0/0 0 1 1 ?", '"0/0" is no minute'),
    ("0 0 1- 1 1 ?", '"1-" is no hour'),
    ("0 0 1,,2 1 1 ?", '"1,,2" is no hour'),
    ("0 0 1,? 1 1 ?", '"1,?" is no hour'),
    ("0 0 ² 1 1 ?", '"²" is no hour'),
]


@pytest.mark.parametrize("expression", TAKEN)
def test_an_expression_that_the_server_takes_is_no_problem(expression: str) -> None:
    assert cron_flaw(expression) is None


@pytest.mark.parametrize(("expression", "what"), REFUSED)
def test_an_expression_that_the_server_refuses_is_told_with_the_reason(expression: str, what: str) -> None:
    problem = cron_flaw(expression)

    assert problem is not None
    assert problem[0] == what
    assert problem[1]


@pytest.mark.parametrize(
    ("expression", "remedy"),
    [
        ("0 0 24 * * ?", "write 0 to 23, *, a range a-b, a step a/b or a list a,b"),
        ("0 0 0 1 13 ?", "write 1 to 12 or JAN to DEC, *, a range a-b, a step a/b or a list a,b"),
        ("0 0 0 ? * MOO", "write 1 to 7 or SUN to SAT, *, a range a-b, a step a/b or a list a,b"),
        ("0 */5 * * * ? 2027", "write a number or leave the year out"),
    ],
)
def test_a_refusal_names_the_values_that_the_part_takes(expression: str, remedy: str) -> None:
    problem = cron_flaw(expression)
    assert problem is not None
    assert problem[1] == remedy


@pytest.mark.parametrize(
    ("written", "split"),
    [
        ("0 0 * * * ? UTC", ("0 0 * * * ?", "UTC")),
        (" 0  0 * * * ? utc", ("0 0 * * * ?", "UTC")),
        ("0 0 * * * UTC", ("0 0 * * *", "UTC")),
        ("0 0 * * * ? Europe/Paris", ("0 0 * * * ?", "Europe/Paris")),
        ("0 0 * * * ? 2027 CET", ("0 0 * * * ? 2027", "CET")),
        ("0 0 0 ? * MON", ("0 0 0 ? * MON", "UTC")),
        ("", ("", "UTC")),
    ],
)
def test_a_zone_is_told_from_the_expression_before_it(written: str, split: tuple[str, str]) -> None:
    assert split_zone(written) == split


@given(st.text(alphabet="0129*?/-,#LWMONFRIUTC ", max_size=25))
def test_no_text_makes_the_check_raise(expression: str) -> None:
    problem = cron_flaw(expression)

    assert problem is None or all(problem)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_a_zone_that_the_server_takes_is_no_problem(zone: str) -> None:
    assert zone_flaw(zone) is None


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Etc/GMT+1", ('"Etc/GMT+1" is refused by Airbyte', "write a region's zone")),
        ("Europe/Berln", ('there is no time zone "Europe/Berln"', 'did you mean "Europe/Berlin"?')),
        ("here-and-there", ('there is no time zone "here-and-there"', "write one such as")),
    ],
)
def test_a_zone_that_the_server_refuses_is_told(zone: str, expected: tuple[str, str]) -> None:
    found = zone_flaw(zone)
    assert found is not None
    assert found[0] == expected[0]
    assert found[1].startswith(expected[1])


@pytest.mark.parametrize(
    ("every", "sound"),
    [("1 hours", True), ("30 minute", True), ("Every 2 DAYS", True), ("hourly", False), ("0 days", False)],
)
def test_an_interval_is_a_number_and_a_unit(every: str, *, sound: bool) -> None:
    assert (interval_flaw(every) is None) == sound


def test_an_interval_of_nothing_is_refused_with_what_to_write() -> None:
    assert interval_flaw("0 days") == (
        "an interval of 0 is none",
        'write how often to sync, such as "1 hours"',
    )


def test_an_interval_is_read_in_any_spelling() -> None:
    assert {interval_of(text) for text in ("every 1 hour", "Every 1 HOURS", " 01 Hours ")} == {(1, "hour")}
