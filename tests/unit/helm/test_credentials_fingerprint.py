"""A fingerprint changes with any of its credentials."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_infra.helm.values import credentials_fingerprint

HELD = {"AWS_SECRET_ACCESS_KEY": "one", "PGPASSWORD": "two"}


def test_the_same_credentials_have_the_same_fingerprint_in_any_order() -> None:
    assert credentials_fingerprint(HELD, "lotus/prod") == credentials_fingerprint(
        dict(reversed(HELD.items())), "lotus/prod"
    )
    assert re.fullmatch("[0-9a-f]{12}", credentials_fingerprint(HELD, "lotus/prod"))


def test_equal_credentials_of_two_stacks_do_not_look_equal() -> None:
    assert credentials_fingerprint(HELD, "lotus/prod") != credentials_fingerprint(HELD, "lotus/dev")


@settings(max_examples=settings().max_examples // 5, deadline=None)
@given(st.sampled_from(sorted(HELD)), st.text(min_size=1))
def test_any_change_of_any_credential_changes_it(name: str, value: str) -> None:
    changed = HELD | {name: value}

    assert (credentials_fingerprint(changed, "lotus/prod") == credentials_fingerprint(HELD, "lotus/prod")) == (
        changed == HELD
    )


def test_values_that_move_to_another_name_are_other_credentials() -> None:
    moved = dict(zip(HELD, reversed(HELD.values()), strict=True))

    assert credentials_fingerprint(moved, "lotus/prod") != credentials_fingerprint(HELD, "lotus/prod")
