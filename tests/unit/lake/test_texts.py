"""Texts that Airbyte's database refuses, in files."""

from pathlib import Path

import pytest

from tests.support.lakes import Document, destination, discovered, problems_of, source, stream

NUL = "has a NUL character (\\u0000), which Airbyte can't store: remove it: it often comes from a file that is not text"
FIELDS = {name: {"type": "string"} for name in ("id", "updated_at", "e\0")}
CONDITION = {"type": "EQUAL", "fieldName": "id", "comparisonValue": "a\0"}
MAPPERS = [{"type": "row-filtering", "configuration": {"conditions": CONDITION}}]
RESOURCES = "resource_allocation.default.cpu_limit"
CONNECTIONS = {key: value for key, value in source().items() if key not in {"destination", "schedule"}} | {
    "connections": {"daily": {"prefix": "a\0"}}
}


def test_a_label_is_as_long_as_the_server_takes_and_no_longer(tmp_path: Path) -> None:
    """The longest one leaves room for what makes the connection's label of it: an arrow and the destination's."""
    most = 256 - len(" → S3")

    assert problems_of(tmp_path, {"shop/_source.json": source(name="é" * most)}) == []
    [problem] = problems_of(tmp_path, {"shop/_source.json": source(name="é" * (most + 1))})
    assert problem == (
        f'shop/_source.json:3: name: the connection label "{"é" * 40}…" has 257 characters, and Airbyte takes at most '
        "256 in a name: give the source or its destination a shorter name"
    )


def test_a_long_source_is_one_problem_and_a_long_destination_is_reported_at_its_own_file_too(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, {"shop/_source.json": source(name="x" * 300)})
    assert problem.startswith(f'shop/_source.json:3: name: the label "{"x" * 40}…" has 300 characters')

    own, connection = problems_of(tmp_path, {"_destinations/s3.json": destination(name="x" * 257)})
    assert own.startswith("_destinations/s3.json:17: name: the label")
    assert connection.startswith("shop/_source.json:3: name: the connection label")


def test_a_label_that_a_long_folder_gives_is_reported_at_its_source(tmp_path: Path) -> None:
    folder = "a" * 250
    files = {
        f"{folder}/_source.json": source(name=None) | {"destination": "s3"},
        f"{folder}/orders.json": stream(),
        f"{folder}/_discovered/orders.json": discovered(),
        "_destinations/s3.json": destination(name="The whole lake"),
    }
    problems = [problem for problem in problems_of(tmp_path, files) if problem.startswith(folder)]

    assert len(problems) == 1
    assert f'the connection label "A{"a" * 39}…" has 267 characters' in problems[0]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"shop/_source.json": source(configuration={"count": 1, "x": ["a", "b\0"]})}, "configuration.x[1]"),
        ({"shop/_source.json": source(configuration={"count": 1, "x": {"a\0": 1}})}, "configuration.x"),
        ({"shop/orders.json": stream(fields=FIELDS)}, "fields"),
        ({"shop/orders.json": stream(cursor_field=["a\0"])}, "cursor_field[0]"),
        ({"shop/orders.json": stream(primary_key=[["id"], ["a\0"]])}, "primary_key[1][0]"),
        ({"shop/orders.json": stream(stream="a\0")}, "stream"),
        ({"shop/orders.json": stream(namespace="a\0")}, "namespace"),
        ({"shop/orders.json": stream(destination_object_name="a\0")}, "destination_object_name"),
        ({"shop/orders.json": stream(mappers=MAPPERS)}, "mappers[0].configuration.conditions.comparisonValue"),
        ({"shop/_source.json": source(prefix="a\0")}, "prefix"),
        ({"shop/_source.json": source(namespace="a\0")}, "namespace"),
        ({"shop/_source.json": source(resource_allocation={"default": {"cpu_limit": "1\0"}})}, RESOURCES),
        ({"shop/_source.json": CONNECTIONS}, "connections.daily.prefix"),
    ],
    ids=str,
)
def test_a_nul_is_reported_wherever_the_server_would_be_sent_it(
    changes: dict[str, Document], path: str, tmp_path: Path
) -> None:
    found = [problem for problem in problems_of(tmp_path, changes) if NUL in problem]

    assert [problem.split(": ")[1] for problem in found] == [path]
