"""Which cron expressions the server takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.streams.cron import cron_problem

TAKEN = [
    "0 0 * * * ?",
    "0 0 * * * ? UTC",
    "0 0 * * * ? utc",
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
    "0 0 12 1 1 ? 2027-2030 UTC",
]

REFUSED = [
    ("", "has 0 parts instead of 6 or 7"),
    ("@hourly", "has 1 parts instead of 6 or 7"),
    ("0 * * * *", "has 5 parts instead of 6 or 7"),
    ("0 0 * * * UTC", "has 5 parts instead of 6 or 7"),
    ("0 0 * * * ? 2027 1", "has 8 parts instead of 6 or 7"),
    ("* 0 * * * ?", "seconds must be a number"),
    ("0/10 0 * * * ?", "seconds must be a number"),
    ("0 */5 * * * ? 2027", "minutes must be a number when a year is given"),
    ("0 0 * * * *", "exactly one of day of month and day of week must be ?"),
    ("0 0 * ? * ?", "exactly one of day of month and day of week must be ?"),
    ("0 0 * * * ? Europe/Paris", '"Europe/Paris" is a time zone, and schedules are in UTC'),
    ("0 0 * * * ? 2027 CET", '"CET" is a time zone, and schedules are in UTC'),
    ("60 0 * * * ?", '"60" is no second'),
    ("0 60 * * * ?", '"60" is no minute'),
    ("0 0 24 * * ?", '"24" is no hour'),
    ("0 0 0 32 * ?", '"32" is no day of month'),
    ("0 0 0 1 13 ?", '"13" is no month'),
    ("0 0 0 1 ? ?", '"?" is no month'),
    ("0 0 0 ? * 8", '"8" is no day of week'),
    ("0 0 0 ? * MOO", '"MOO" is no day of week'),
    ("0 0 0 1 1 ? 1969", '"1969" is no year'),
    ("0 0/0 0 1 1 ?", '"0/0" is no minute'),
    ("0 0 1- 1 1 ?", '"1-" is no hour'),
    ("0 0 1,,2 1 1 ?", '"1,,2" is no hour'),
    ("0 0 1,? 1 1 ?", '"1,?" is no hour'),
    ("0 0 ² 1 1 ?", '"²" is no hour'),
]


@pytest.mark.parametrize("expression", TAKEN)
def test_an_expression_that_the_server_takes_is_no_problem(expression: str) -> None:
    assert cron_problem(expression) is None


@pytest.mark.parametrize(("expression", "what"), REFUSED)
def test_an_expression_that_the_server_refuses_is_told_with_the_reason(expression: str, what: str) -> None:
    problem = cron_problem(expression)

    assert problem is not None
    assert problem[0] == what
    assert problem[1]


@given(st.text(alphabet="0129*?/-,#LWMONFRIUTC ", max_size=25))
def test_no_text_makes_the_check_raise(expression: str) -> None:
    problem = cron_problem(expression)

    assert problem is None or all(problem)
