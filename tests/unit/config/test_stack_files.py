"""What is read of YAML: values as the engine takes them, and the line of each key."""

import os
from pathlib import Path

import pytest

from lotus_infra.config.production import Declared
from lotus_infra.config.stack_files import Encrypted, Value, read, read_stack
from lotus_infra.errors import LotusError


def content(tmp_path: Path, text: str) -> Value:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text(text, encoding="utf-8")
    found = read(file)
    assert found.problems == ()
    return found.content


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("true", True),
        ("True", True),
        ('"true"', "true"),
        ("~", None),
        ("", None),
        ("12", 12),
        ("1_000", 1000),
        ("012", 10),
        ("0o12", 10),
        ("0x1F", 31),
        ("-0b11", -3),
        ("089", 89),
        ("1e3", 1000),
        ("1.5", 1.5),
        ("1.13.27", "1.13.27"),
        ('"2026-01-05"', "2026-01-05"),
        ("0 0 3 * * *", "0 0 3 * * *"),
        ("{secure: v1:x}", Encrypted()),
        ("{secure: v1:x, other: 1}", {"secure": "v1:x", "other": 1}),
        ("{secure: 1}", {"secure": 1}),
        ("[{secure: v1:x}]", [Encrypted()]),
    ],
)
def test_a_value_has_the_type_that_the_engine_gives_it(tmp_path: Path, text: str, value: Value) -> None:
    assert content(tmp_path, f"a: {text}\n") == {"a": value}


def test_anchors_and_merged_keys_are_followed(tmp_path: Path) -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 4}, *a]}\nd: *a\n"

    assert content(tmp_path, text) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 4, "y": 2},
        "d": {"x": 1, "y": 2},
    }


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: 1\nb: {c: 1, c: 2}\n", "2: b.c: is a duplicate key"),
        ("a: 1\na: 2\n", "2: a: is a duplicate key"),
        ("a: !!binary x\n", "1: a: has a YAML tag"),
        ("a: !secret x\n", "1: a: has a YAML tag"),
        ("a: [2026-01-05]\n", "1: a.0: is a date to the engine, which gives the program another text"),
        ("{[a]: 1}\n", "1: : has a key that is no text"),
        ("a: &a [*a]\n", "1: : can't be read as YAML"),
        ("- 1\n", "1: : is not an object"),
        ("a: \x01\n", "1: : can't be read as YAML"),
        ("a: 1\n---\nb: 2\n", "2: : can't be read as YAML"),
    ],
)
def test_what_the_engine_might_read_otherwise_is_a_problem_with_a_line(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text(text, encoding="utf-8")

    [problem] = read(file).problems

    path = ".".join(map(str, problem.path))
    assert f"{problem.line}: {path}: {problem.what}" == what


def test_a_stacks_value_has_precedence_over_the_projects(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\nconfig:\n  a: 1\n  lotus:b: {value: 2}\n", encoding="utf-8")
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n  lotus:b: 3\n", encoding="utf-8")

    assert read_stack(tmp_path, "prod").values == {"lotus:a": 1, "lotus:b": 3}
    assert read_stack(tmp_path, "none").values == {"lotus:a": 1, "lotus:b": 2}


def test_a_few_lines_of_anchors_do_not_make_a_document_without_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")

    found = read(file)

    [problem] = found.problems
    assert problem.what == "has too many values, its repeated ones included"
    assert not found.readable


def test_a_stacks_file_that_is_no_file_of_a_size_is_not_read(tmp_path: Path) -> None:
    large, pipe = tmp_path / "Pulumi.large.yaml", tmp_path / "Pulumi.pipe.yaml"
    large.write_bytes(b"#" * 8_000_001)
    os.mkfifo(pipe)

    assert [problem.what for file in (large, pipe) for problem in read(file).problems] == [
        "has 8 MB, and a file may have 8",
        "is not a regular file",
    ]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("Pulumi.json", "is read by the engine in place of Pulumi.yaml, and by no command of Lotus"),
        ("Pulumi.yml", "is not read"),
        ("Pulumi.prod.json", "is not read"),
        ("Pulumi.prod.yml", "is not read"),
        ("Pulumi.new.yml", "is not read"),
    ],
)
def test_a_file_of_the_project_under_another_ending_is_refused(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n  lotus:production: true\n", encoding="utf-8")
    (tmp_path / name).write_text("{}", encoding="utf-8")

    found = read_stack(tmp_path, "prod")

    assert [(problem.file, problem.what) for problem in found.problems] == [(name, what)]
    with pytest.raises(LotusError, match=f"{name}:1"):
        Declared.at(tmp_path, "prod")
