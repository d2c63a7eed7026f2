"""Mappers: what is wrong with them, and the fields that are left after them."""

from typing import Any

import pytest
from airbyte_model.json_values import UNKNOWN
from airbyte_model.mapper_types import MAPPER_TYPES
from airbyte_model.mappers import MappedField, Mapper, fields_after, mapper_flaws, specification_of
from airbyte_twin.bodies import MapperBody
from airbyte_twin.errors import ProblemError
from airbyte_twin.mappers import stored_mappers
from airbyte_twin.secrets import Vault
from airbyte_twin.store import Store
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recorded import Reason, writes

FIELDS = ("id", "email", "name")
SOUND: dict[str, dict[str, Any]] = {
    "hashing": {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"},
    "encryption": {
        "algorithm": "AES",
        "targetField": "email",
        "fieldNameSuffix": "_encrypted",
        "key": "00112233445566778899aabbccddeeff",
        "mode": "CTR",
        "padding": "NoPadding",
    },
    "field-renaming": {"originalFieldName": "email", "newFieldName": "mail"},
    "field-filtering": {"targetField": "email"},
    "row-filtering": {"conditions": {"type": "EQUAL", "fieldName": "name", "comparisonValue": "x"}},
}


def mapper(kind: str, **overrides: Any) -> Mapper:
    return Mapper(kind, SOUND[kind] | overrides)


def flaws(*mappers: Mapper) -> list[str]:
    return [f"{'.'.join(map(str, path))}: {flaw}" for path, flaw in mapper_flaws(mappers, FIELDS)]


def misfits(of: Mapper) -> list[str]:
    return [
        f"{'.'.join(map(str, each.path))}: {each.flaw}" for each in specification_of(of.type).misfits(of.configuration)
    ]


@pytest.mark.parametrize("kind", MAPPER_TYPES)
def test_a_sound_mapper_has_no_flaw(kind: str) -> None:
    assert misfits(mapper(kind)) == []
    assert flaws(mapper(kind)) == []


@pytest.mark.parametrize(
    ("mappers", "left"),
    [
        ([], {"id": "id kept", "email": "email kept", "name": "name kept"}),
        ([mapper("hashing")], {"id": "id kept", "email_hashed": "email hashed", "name": "name kept"}),
        ([mapper("encryption")], {"id": "id kept", "email_encrypted": "email encrypted", "name": "name kept"}),
        (
            [mapper("encryption", fieldNameSuffix="")],
            {"id": "id kept", "email": "email encrypted", "name": "name kept"},
        ),
        ([mapper("field-renaming")], {"id": "id kept", "mail": "email kept", "name": "name kept"}),
        ([mapper("field-filtering")], {"id": "id kept", "name": "name kept"}),
        ([mapper("row-filtering")], {"id": "id kept", "email": "email kept", "name": "name kept"}),
        (
            [
                mapper("field-renaming"),
                mapper("hashing", targetField="mail"),
                mapper("field-filtering", targetField="id"),
            ],
            {"mail_hashed": "email hashed", "name": "name kept"},
        ),
        ([mapper("hashing", targetField="nowhere")], {"id": "id kept", "email": "email kept", "name": "name kept"}),
        ([mapper("field-renaming", newFieldName="id")], {"id": "id kept", "email": "email kept", "name": "name kept"}),
    ],
)
def test_mappers_leave_fields(mappers: list[Mapper], left: dict[str, str]) -> None:
    after = fields_after(mappers, FIELDS)
    assert {name: f"{field.origin} {field.change}" for name, field in after.items()} == left
    assert [*after] == [*left]


def test_a_value_that_was_encrypted_can_be_compared_with_no_other() -> None:
    assert MappedField("a").is_comparable
    assert MappedField("a").is_ordered
    assert MappedField("a", "hashed").is_comparable
    assert not MappedField("a", "hashed").is_ordered
    both = fields_after([mapper("encryption"), mapper("hashing", targetField="email_encrypted")], FIELDS)
    assert not both["email_encrypted_hashed"].is_comparable


@pytest.mark.parametrize(
    ("mappers", "expected"),
    [
        (
            [mapper("hashing", targetField="emial")],
            '0.targetField: "emial" is no field of the stream: did you mean "email"?',
        ),
        (
            [mapper("hashing"), mapper("field-filtering")],
            (
                '1.targetField: "email" is no field of the stream any more: a mapper before this one renames it: '
                'write "email_hashed"'
            ),
        ),
        (
            [mapper("field-renaming", newFieldName="id")],
            '0.newFieldName: makes the field "id", which the stream has already: choose another name',
        ),
        (
            [mapper("hashing", fieldNameSuffix="")],
            '0.fieldNameSuffix: is empty, and Airbyte then removes the values: write a suffix such as "_hashed"',
        ),
        (
            [
                mapper(
                    "row-filtering",
                    conditions={
                        "type": "NOT",
                        "conditions": [{"type": "EQUAL", "fieldName": "zzz", "comparisonValue": "x"}],
                    },
                )
            ],
            (
                '0.conditions.conditions.0.fieldName: "zzz" is no field of the stream: '
                "name a field that the stream selects"
            ),
        ),
        (
            [mapper("encryption", mode="GCM")],
            (
                "0.mode: is GCM with NoPadding, which Airbyte's mapper can't encrypt with: "
                'write "CBC" with "PKCS5Padding", or "CTR" with "NoPadding"'
            ),
        ),
    ],
)
def test_a_mapper_that_does_not_work_has_a_flaw(mappers: list[Mapper], expected: str) -> None:
    assert flaws(*mappers) == [expected]


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (mapper("hashing", method="MD6"), ['method: is not an allowed value: did you mean "MD5"?']),
        (
            mapper("hashing", target="email"),
            ['target: is no key that the specification allows: did you mean "targetField"?'],
        ),
        (Mapper("field-filtering", {}), ["targetField: is required: add it"]),
        (
            mapper("row-filtering", conditions={"type": "OR"}),
            ["conditions.type: is not an allowed value: write one of EQUAL, NOT"],
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(broken: Mapper, expected: list[str]) -> None:
    assert misfits(broken) == expected


def test_a_key_that_a_stack_holds_is_a_secret() -> None:
    assert misfits(mapper("encryption", key=UNKNOWN)) == []
    assert specification_of("encryption").is_secret(("key",))
    assert not specification_of("encryption").is_secret(("targetField",))


# Against the server.


def test_a_running_airbyte_refuses_the_same_mappers() -> None:
    seen = []
    for write in writes():
        for stream in (write.sent.get("configurations") or {}).get("streams", []) if write.kind == "connection" else []:
            for sent in stream.get("mappers", []) if isinstance(stream, dict) else []:
                fits = sent["type"] in MAPPER_TYPES and "mapperConfiguration" in sent
                ours = Mapper(sent["type"], sent.get("mapperConfiguration", {}))
                fits = fits and not misfits(ours) and not [*mapper_flaws([ours], ["id", "name", "updated_at"])]
                seen.append((str(write), fits, write.reason is Reason.ACCEPTED))
    assert len(seen) == 8
    assert [step for step, fits, accepted in seen if fits != accepted] == []


NAMES = st.sampled_from(["id", "email", "email_h", "h", "name"])
SUFFIXES = st.sampled_from(["_h", "x"])
CONDITIONS = st.recursive(
    st.builds(lambda: {"type": "EQUAL", "fieldName": "id", "comparisonValue": "x"}),
    lambda inner: st.builds(lambda each: {"type": "NOT", "conditions": each}, st.lists(inner, min_size=1, max_size=2)),
    max_leaves=3,
)
MAPPERS = st.one_of(
    st.builds(
        lambda n, s, m: mapper("hashing", targetField=n, fieldNameSuffix=s, method=m),
        NAMES,
        SUFFIXES,
        st.sampled_from(["MD5", "SHA-1", "CRC"]),
    ),
    st.builds(lambda n, s: mapper("encryption", targetField=n, fieldNameSuffix=s), NAMES, SUFFIXES | st.just("")),
    st.builds(lambda n, m: mapper("field-renaming", originalFieldName=n, newFieldName=m), NAMES, NAMES),
    st.builds(lambda n: mapper("field-filtering", targetField=n), NAMES),
    st.builds(lambda c: mapper("row-filtering", conditions=c), CONDITIONS),
)


def twin_takes(mappers: list[Mapper]) -> bool:
    sent = [{"type": each.type, "mapperConfiguration": {**each.configuration}} for each in mappers]
    bodies = [MapperBody.model_validate(each) for each in sent]
    try:
        stored_mappers(bodies, "users", FIELDS, (), Vault(Store().secrets, "workspace"))
    except ProblemError:
        return False
    return True


@settings(deadline=None)
@given(st.lists(MAPPERS, max_size=4))
def test_the_twin_refuses_the_same_mappers(mappers: list[Mapper]) -> None:
    # The server compares a filter's fields with none, and then drops all rows.
    found = [path for path, _ in mapper_flaws(mappers, FIELDS) if path[-1] != "fieldName"]
    assert twin_takes(mappers) == (not found and not any(map(misfits, mappers)))
