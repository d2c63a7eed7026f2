"""What a change of a stream's mappers exposes, by literals of mappers before and after."""

from typing import Any

import pytest
from airbyte_model.mappers import Mapper, fields_after
from airbyte_model.streams import Stream
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.plan.mappers import compare_mappers

Document = dict[str, Any]
FIELDS = ("email", "id", "status")


def hashing(field: str = "email", method: str = "SHA-256") -> Document:
    settings = {"targetField": field, "method": method, "fieldNameSuffix": "_hashed"}
    return {"type": "hashing", "mapperConfiguration": settings}


def encryption(field: str = "email", key: str = "a-public-key") -> Document:
    settings = {"algorithm": "RSA", "targetField": field, "fieldNameSuffix": "_sealed", "publicKey": key}
    return {"type": "encryption", "mapperConfiguration": settings}


def renaming(old: str, new: str) -> Document:
    return {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": old, "newFieldName": new}}


def leaving_out(field: str = "email") -> Document:
    return {"type": "field-filtering", "mapperConfiguration": {"targetField": field}}


def rows(value: str = "open") -> Document:
    conditions = {"type": "EQUAL", "fieldName": "status", "comparisonValue": value}
    return {"type": "row-filtering", "mapperConfiguration": {"conditions": conditions}}


NEW_KIND: Document = {"type": "redaction", "mapperConfiguration": {"targetField": "email"}}


def stream(*mappers: Document, fields: tuple[str, ...] | None = FIELDS) -> Stream:
    others = {"mappers": list(mappers)} if mappers else {}
    return Stream("users", "users", "", "incremental_append", ("id",), (), fields, others)


def effects(old: Stream, new: Stream) -> list[str]:
    return [each.effect for each in compare_mappers(old, new)]


def said(old: Stream, new: Stream) -> str:
    return "; ".join(each.what for each in compare_mappers(old, new))


CLEAR = stream()
EXPOSES: dict[str, tuple[Stream, Stream, str]] = {
    "no hashing": (stream(hashing()), CLEAR, "email lands in the clear from now on: it is no longer hashed"),
    "no encryption": (stream(encryption()), CLEAR, "email lands in the clear from now on: it is no longer encrypted"),
    "a field that was left out": (
        stream(leaving_out()),
        CLEAR,
        "email lands in the clear from now on: it is no longer left out",
    ),
    "hashing of another field": (stream(hashing()), stream(hashing("status")), "email lands in the clear"),
    "hashing of a name that the field no longer has": (
        stream(renaming("email", "mail"), hashing("mail")),
        stream(renaming("email", "address"), hashing("mail")),
        "email lands in the clear",
    ),
    "encryption in place of hashing": (
        stream(hashing()),
        stream(encryption()),
        "email lands encrypted from now on, and no longer hashed",
    ),
    "another public key": (
        stream(encryption()),
        stream(encryption(key="another")),
        "email is encrypted for another key",
    ),
    "hashing in place of leaving out": (
        stream(leaving_out()),
        stream(hashing()),
        "email lands hashed from now on, and no longer left out",
    ),
    "encryption in place of leaving out": (
        stream(leaving_out()),
        stream(encryption()),
        "whoever has the key can read it",
    ),
    "hashing of a field that was renamed before": (
        stream(hashing()),
        stream(renaming("email", "mail"), hashing()),
        "email lands in the clear",
    ),
    "hashing after a renaming that has no effect": (
        stream(renaming("email", "mail"), hashing("mail")),
        stream(renaming("email", "id"), hashing("id")),
        "email lands in the clear",
    ),
    "encryption alone in place of hashing and encryption": (
        stream(hashing(), encryption("email_hashed")),
        stream(encryption()),
        "email may land encrypted only",
    ),
    "no filter of rows": (stream(rows()), CLEAR, "rows land from now on that a filter kept out"),
    "another filter of rows": (stream(rows()), stream(rows("closed")), "rows land from now on"),
    "a mapper that is not known": (stream(NEW_KIND), CLEAR, "a mapper that Lotus does not know"),
    "a mapper without settings": (stream({"type": "hashing"}), CLEAR, "a mapper that Lotus does not know"),
    "all fields": (stream(hashing()), stream(fields=None), "email lands in the clear"),
}
TOUCHES: dict[str, tuple[Stream, Stream, str]] = {
    "hashing of a clear field": (CLEAR, stream(hashing()), "existing rows keep its values in the clear"),
    "another method": (stream(hashing()), stream(hashing(method="MD5")), "email is hashed in another way"),
    "hashing in place of encryption": (stream(encryption()), stream(hashing()), "do not match"),
    "another name": (stream(renaming("email", "mail")), stream(renaming("email", "e")), "email lands as e"),
    "a filter of rows": (CLEAR, stream(rows()), "a filter keeps rows out from now on"),
    "one more filter of rows": (stream(rows()), stream(rows(), rows("paid")), "a filter keeps rows out"),
    "a mapper that is not known, which comes": (CLEAR, stream(NEW_KIND), "gains a mapper that Lotus does not know"),
    "another order": (stream(hashing(), rows()), stream(rows(), hashing()), "in another order"),
    "a hashed field that is no longer selected": (stream(hashing()), stream(fields=("id",)), "in another order"),
    "a field that is renamed before it is hashed": (
        stream(hashing()),
        stream(renaming("email", "mail"), hashing("mail")),
        "email lands as mail_hashed, and no longer as email_hashed",
    ),
}


@pytest.mark.parametrize("what", EXPOSES)
def test_what_was_kept_out_and_lands_is_an_exposure(what: str) -> None:
    old, new, says = EXPOSES[what]

    assert "exposes" in effects(old, new)
    assert says in said(old, new)


@pytest.mark.parametrize("what", TOUCHES)
def test_what_keeps_more_out_or_changes_names_and_values_touches_data(what: str) -> None:
    old, new, says = TOUCHES[what]

    assert set(effects(old, new)) == {"touches data"}
    assert says in said(old, new)


MAPPERS = st.lists(
    st.one_of(
        st.builds(hashing, st.sampled_from(["email", "id", "mail"])),
        st.builds(encryption, st.sampled_from(["email", "mail"])),
        st.builds(leaving_out, st.sampled_from(["email", "status"])),
        st.builds(renaming, st.sampled_from(["email", "mail"]), st.sampled_from(["email", "mail", "m"])),
        st.builds(rows, st.sampled_from(["open", "closed"])),
        st.just(NEW_KIND),
    ),
    max_size=4,
)


@given(MAPPERS, MAPPERS)
def test_mappers_that_differ_have_a_verdict_and_fewer_of_them_never_a_better_one(
    old: list[Document], new: list[Document]
) -> None:
    found = effects(stream(*old), stream(*new))

    assert bool(found) is (old != new)
    # Without any mapper, everything lands that one kept out; a mapper of a field that is not there keeps nothing out.
    known = [Mapper(each["type"], each["mapperConfiguration"]) for each in old if each != NEW_KIND]
    left = fields_after(known, FIELDS)
    kept_out = len(left) < len(FIELDS) or any(field.change != "kept" for field in left.values())
    kept_out = kept_out or any(each["type"] in {"row-filtering", "redaction"} for each in old)
    assert ("exposes" in effects(stream(*old), CLEAR)) is kept_out
