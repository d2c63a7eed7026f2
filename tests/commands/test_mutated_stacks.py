"""Every key of the stacks' files, broken one way at a time, as `lotus check` reports it."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner

from tests.support.lotus import LOADED

REPOSITORY = Path(__file__).resolve().parents[2]
STACKS = ("Pulumi.prod.yaml", "Pulumi.sandbox.yaml")
OTHER_TYPE = {"bool": "ja", "int": "many"}
"""Instead of a flag and of a number; a text becomes an object, and an object or a list a text."""
FREE = ("annotations",)
"""Objects whose keys are the user's own, so that none is misspelt."""
Path_ = tuple[str | int, ...]


class Mutation(NamedTuple):
    """A broken file.

    Attributes:
        way: How it is broken.
        file: Its name.
        path: The key that is broken.
        text: The file's content.
        line: The line of the broken key, 1-based.
    """

    way: str
    file: str
    path: Path_
    text: str
    line: int


def root(text: str) -> yaml.Node:
    node = yaml.compose(text)
    assert node is not None
    return node


def pairs(node: yaml.Node, path: Path_ = ()) -> Iterator[tuple[Path_, yaml.Node, yaml.Node]]:
    """Every key and every item of a list, with its value."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), key, value
            yield from pairs(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item, item


def misspelt(file: str, text: str) -> Iterator[Mutation]:
    for path, key, _ in pairs(root(text)):
        if isinstance(path[-1], str) and not (len(path) > 1 and path[-2] in FREE):
            broken = text[: key.end_mark.index] + path[-1][-1] + text[key.end_mark.index :]
            yield Mutation("misspelt", file, path, broken, key.start_mark.line + 1)


def of_another_type(file: str, text: str) -> Iterator[Mutation]:
    for path, key, value in pairs(root(text)):
        kind = value.tag.rpartition(":")[2]
        is_plain_text = isinstance(value, yaml.ScalarNode) and (kind not in OTHER_TYPE or bool(value.style))
        is_encrypted = isinstance(value, yaml.MappingNode) and value.value[0][0].value == "secure"
        if isinstance(value, yaml.ScalarNode) and value.value in {"true", "false"}:
            other = OTHER_TYPE["bool"]
        elif is_encrypted:
            other = "{nonsense: 1}"
        else:
            other = "{nonsense: 1}" if is_plain_text else OTHER_TYPE.get(kind, "nonsense")
        after = text[value.end_mark.index :]
        is_block = isinstance(value, yaml.CollectionNode) and not value.flow_style
        separator = "\n" + " " * value.end_mark.column if is_block else ""
        broken = f"{text[: value.start_mark.index]}{other}{separator}{after}"
        place = value if is_encrypted else key
        yield Mutation("of another type", file, path, broken, place.start_mark.line + 1)


def in_plain_text(file: str, text: str) -> Iterator[Mutation]:
    """A secret of production that is not encrypted; the sandbox has no other ones."""
    for path, key, value in pairs(root(text)):
        if isinstance(value, yaml.MappingNode) and value.value[0][0].value == "secure":
            separator = "\n" + " " * value.end_mark.column
            broken = f"{text[: key.end_mark.index]}: a-value-of-some-length{separator}{text[value.end_mark.index :]}"
            yield Mutation("in plain text", file, path, broken, key.start_mark.line + 1)


def on_another_level(file: str, text: str) -> Iterator[Mutation]:
    document = yaml.safe_load(text)
    for path, _, _ in pairs(root(text)):
        if not isinstance(path[-1], str):
            continue
        above = copy.deepcopy(document)
        value = at(above, path[:-1]).pop(path[-1])
        # A key of the root has no level above it: it goes one down.
        target = path[:-2] if len(path) > 1 else ("config",)
        if path == ("config",):
            above = {"config": {"config": value}, **above}
        else:
            at(above, target)[path[-1]] = value
        broken = yaml.safe_dump(above, sort_keys=False)
        wanted = (*target, path[-1])
        [line] = [key.start_mark.line + 1 for place, key, _ in pairs(root(broken)) if place == wanted]
        yield Mutation("on another level", file, path, broken, line)


def below_a_section(file: str, text: str) -> Iterator[Mutation]:
    document = yaml.safe_load(text)
    for key in document["config"]:
        for section in ("lotus:dagster", "lotus:landingZone"):
            if key != section:
                below = copy.deepcopy(document)
                below["config"][section][key] = below["config"].pop(key)
                broken = yaml.safe_dump(below, sort_keys=False)
                wanted = ("config", section, key)
                [line] = [node.start_mark.line + 1 for place, node, _ in pairs(root(broken)) if place == wanted]
                yield Mutation(f"below {section}", file, ("config", key), broken, line)


def at(document: Any, path: Path_) -> Any:
    for step in path:
        document = document[step]
    return document


def all_mutations() -> Iterator[Mutation]:
    for file in STACKS:
        text = (REPOSITORY / file).read_text(encoding="utf-8")
        for way in (misspelt, of_another_type, in_plain_text, on_another_level, below_a_section):
            yield from way(file, text)


MUTATIONS = list(all_mutations())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(REPOSITORY / "streams", folder / "streams")
    for file in ("Pulumi.yaml", *STACKS):
        shutil.copy(REPOSITORY / file, folder)
    return folder


def check(project: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[dict[str, Any]]]:
    monkeypatch.chdir(project)
    ended = CliRunner().invoke(LOADED["check"], ["--json"], catch_exceptions=False)
    return ended.exit_code, json.loads(ended.stdout)["problems"]


def test_the_stacks_of_the_repository_have_no_problems(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(project, monkeypatch) == (0, [])


def named(mutation: Mutation) -> str:
    return f"{mutation.file.split('.')[1]} {'.'.join(map(str, mutation.path))} {mutation.way}"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=map(named, MUTATIONS))
def test_each_key_is_refused_at_its_line(mutation: Mutation, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project / mutation.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(mutation.text, encoding="utf-8")
    try:
        code, problems = check(project, monkeypatch)
    finally:
        file.write_text(whole, encoding="utf-8")

    assert code == 1
    found = [(problem["file"], problem["line"]) for problem in problems]
    assert (mutation.file, mutation.line) in found, problems


def test_every_key_is_broken_in_three_ways_at_least() -> None:
    for file in STACKS:
        keys = {path for path, _, _ in pairs(root((REPOSITORY / file).read_text(encoding="utf-8")))}
        ways = [mutation.path for mutation in MUTATIONS if mutation.file == file]
        few = {path for path in keys if ways.count(path) < 3}
        # The user's own keys can't be misspelt, and items of a list have no name and no level.
        assert all(isinstance(path[-1], int) or path[-2] in FREE for path in few), few
