"""A fingerprint changes with its credentials and tells nothing of them."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus_infra.cluster.fingerprint import fingerprint

HELD = {"AWS_SECRET_ACCESS_KEY": "one", "PGPASSWORD": "two"}


def test_the_same_credentials_have_the_same_fingerprint_in_any_order() -> None:
    assert fingerprint(HELD, "lotus/prod") == fingerprint(dict(reversed(HELD.items())), "lotus/prod")
    assert re.fullmatch("[0-9a-f]{12}", fingerprint(HELD, "lotus/prod"))


def test_equal_credentials_of_two_stacks_do_not_look_equal() -> None:
    assert fingerprint(HELD, "lotus/prod") != fingerprint(HELD, "lotus/dev")


@settings(max_examples=settings().max_examples // 5, deadline=None)
@given(st.sampled_from(sorted(HELD)), st.text(min_size=1))
def test_any_change_of_any_credential_changes_it(name: str, value: str) -> None:
    changed = HELD | {name: value}

    assert (fingerprint(changed, "lotus/prod") == fingerprint(HELD, "lotus/prod")) == (changed == HELD)


def test_values_that_move_to_another_name_are_other_credentials() -> None:
    moved = dict(zip(HELD, reversed(HELD.values()), strict=True))

    assert fingerprint(moved, "lotus/prod") != fingerprint(HELD, "lotus/prod")
