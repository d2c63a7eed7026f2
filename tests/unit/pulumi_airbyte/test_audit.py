"""Where each live object stands."""

from pulumi_airbyte.provider.audit import Declared, Found, audit

SHOP = Found("source", "s1", "Shop")
LANDING = Found("destination", "d1", "S3")
BOTH = Found("connection", "c1", "Shop → S3", "s1", "d1")
DECLARED = (
    Declared("source", "Shop"),
    Declared("destination", "S3"),
    Declared("connection", "Shop → S3", "Shop", "S3"),
)


def standings(live: list[Found], managed: set[str], declared: tuple[Declared, ...] = DECLARED) -> dict[str, str]:
    return {each.found.id: each.standing for each in audit(live, managed, declared)}


def test_what_the_program_has_is_managed_whatever_it_is_called() -> None:
    renamed = Found("source", "s1", "Somebody's name")
    assert standings([renamed, BOTH], {"s1", "c1"}) == {"s1": "managed", "c1": "managed"}


def test_everything_that_is_declared_is_adoptable_where_the_state_is_lost() -> None:
    assert standings([BOTH, LANDING, SHOP], set()) == dict.fromkeys(("s1", "d1", "c1"), "adoptable")


def test_what_nobody_declares_is_an_orphan() -> None:
    assert standings([SHOP, LANDING], set(), ()) == {"s1": "orphan", "d1": "orphan"}
    assert standings([Found("destination", "d2", "Shop")], set()) == {"d2": "orphan"}


def test_of_two_of_one_identity_the_managed_one_stays_so() -> None:
    twin = Found("source", "s2", "Shop")
    first, second = audit([SHOP, twin], {"s1"}, DECLARED)
    assert (first.found.id, first.standing, first.twins) == ("s1", "managed", ("s2",))
    assert (second.found.id, second.standing, second.twins) == ("s2", "duplicate", ("s1",))
    assert standings([SHOP, twin], set()) == {"s1": "duplicate", "s2": "duplicate"}


def test_a_connection_of_a_source_that_is_not_the_programs_is_an_orphan() -> None:
    twin = Found("source", "s2", "Shop")
    others = Found("connection", "c2", "Shop → S3", "s2", "d1")
    assert standings([SHOP, twin, LANDING, others], {"s1"})["c2"] == "orphan"


def test_connections_of_one_name_between_other_ends_are_no_duplicates() -> None:
    other = Found("connection", "c2", "Shop → S3", "s1", "d2")
    found = audit([SHOP, LANDING, BOTH, other], {"s1", "d1", "c1"}, DECLARED)
    assert [each.twins for each in found] == [()] * 4
