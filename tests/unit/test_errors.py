"""Errors that a user can mend."""

from lotus_infra.errors import LakeError, LotusError


def test_an_error_has_its_message_and_its_hint() -> None:
    error = LotusError("the lake is dry", "wait for rain")

    assert str(error) == "the lake is dry: wait for rain"
    assert (error.message, error.hint) == ("the lake is dry", "wait for rain")


def test_an_error_without_a_hint_ends_with_the_message() -> None:
    assert str(LakeError("the lake is dry")) == "the lake is dry"
