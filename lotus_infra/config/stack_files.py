"""Read `Pulumi.yaml` and the stacks' files, each value with its line; encrypted values stay encrypted.

Values have the types that the engine gives them: YAML 1.2, so that `yes` is a text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

import yaml
from airbyte_model.suggestions import nearest, suggestion

from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath, LocatedDiagnostic, format_path
from lotus_infra.lake.disk import UnreadableError, read_file

PROJECT_FILE: Final = "Pulumi.yaml"
_CONFIG: Final = "config"
_STACK_KEYS: Final = frozenset({_CONFIG, "encryptedkey", "encryptionsalt", "secretsprovider"})
_ENVIRONMENT: Final = "environment"
"""The key of environments of a Pulumi service, whose values no file has."""
_PROJECT_KEYS: Final = frozenset(
    {
        *("author", "backend", _CONFIG, "description", "license", "main", "name", "options", "packages", "plugins"),
        *("requiredPulumiVersion", "runtime", "stackConfigDir", "template", "website"),
    }
)
_DECLARATION_KEYS: Final = frozenset({"default", "description", "items", "secret", "type", "value"})
_MISSPELT: Final = 0.75
"""How alike a key is to one of a declaration that it most likely stands for; any other is of the value itself."""
_MISPLACED: Final = 'write it below "config", indented'
_MOST_VALUES: Final = 50_000
"""Of a file. An alias repeats all values of its anchor, so a few lines could stand for more than any memory holds."""
_SYNTAX: Final = "correct it, or restore it from version control"


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A value that only the engine can decrypt."""


Value: TypeAlias = "str | int | float | bool | Encrypted | list[Value] | dict[str, Value] | None"


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A YAML file that was read.

    Attributes:
        name: The file's name.
        content: The document; empty if the file can't be read, or has none.
        lines: The line of each key and item, 1-based, by its path.
        problems: What is wrong with the file, whatever it means.
        readable: Whether the content is that of the file.
    """

    name: str
    content: dict[str, Value]
    lines: Mapping[JsonPath, int] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()
    readable: bool = True

    def problem(self, path: JsonPath, what: str, remedy: str, field: JsonPath | None = None) -> Diagnostic:
        """A diagnostic about a place, at the line of the nearest key around it.

        Args:
            path: The place in the document.
            what: What is wrong.
            remedy: What to do about it.
            field: The path that is shown; by default that in the document.
        """
        around = (path[:length] for length in range(len(path), -1, -1))
        line = next((self.lines[each] for each in around if each in self.lines), 1)
        return Diagnostic(self.name, path if field is None else field, what, remedy, line)


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the configuration.

    Attributes:
        value: The value.
        file: The file that sets it.
        path: Its path in that file.
    """

    value: Value
    file: YamlFile
    path: JsonPath


@dataclass(frozen=True, slots=True)
class StackEntries:
    """The values of a stack, those that the project sets for all stacks included.

    Attributes:
        stack: The stack's name.
        project: `Pulumi.yaml`.
        own: The stack's file; empty if it has none.
        entries: The values by full key.
        problems: What is wrong with the files, whatever their values mean.
    """

    stack: str
    project: YamlFile
    own: YamlFile
    entries: Mapping[str, Entry]
    problems: tuple[Diagnostic, ...]

    @property
    def values(self) -> dict[str, Value]:
        """The values by full key."""
        return {key: entry.value for key, entry in self.entries.items()}

    @property
    def name(self) -> str:
        """The project's name."""
        return str(self.project.content.get("name") or "")

    @property
    def backend(self) -> str:
        """The address of the project's state; empty if it sets none."""
        backend = self.project.content.get("backend")
        return str(backend.get("url") or "") if isinstance(backend, dict) else ""

    def problem(self, path: JsonPath, what: str, remedy: str) -> Diagnostic:
        """A diagnostic about a value.

        Args:
            path: The full key, and the path in its value.
            what: What is wrong.
            remedy: What to do about it.
        """
        entry = self.entries.get(str(path[0]))
        file, place = (entry.file, (*entry.path, *path[1:])) if entry is not None else (self.own, (_CONFIG,))
        return file.problem(place, what, remedy, field=path)

    def problem_of(self, field: str, what: str, remedy: str) -> Diagnostic:
        """A diagnostic about a value, as `problem`.

        Args:
            field: The path as text, `lotus:dagster.image`.
            what: What is wrong.
            remedy: What to do about it.
        """
        key = field.partition(".")[0].partition("[")[0]
        below = self.entries[key].path if key in self.entries else ()
        lines = self.entries[key].file.lines if key in self.entries else {}
        around = [(key, *path[len(below) :]) for path in lines if path[: len(below)] == below]
        fitting = [path for path in around if _is_below(field, format_path(path))]
        found = self.problem(max(fitting, key=len, default=(key,)), what, remedy)
        return replace(found, path=(field,))


def encrypted_places(value: Value) -> list[JsonPath]:
    """The paths at which a value is encrypted."""
    if isinstance(value, Encrypted):
        return [()]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(key, *path) for key, each in inner for path in encrypted_places(each)]


def _is_below(field: str, above: str) -> bool:
    return field == above or field.startswith((f"{above}.", f"{above}["))


def stack_file(stack: str) -> str:
    """The name of a stack's file."""
    return f"Pulumi.{stack}.yaml"


def stacks(folder: Path) -> dict[str, Path]:
    """The files of a folder's stacks by stack name, sorted."""
    files = sorted(folder.glob(stack_file("*")))
    return {file.name.removeprefix("Pulumi.").removesuffix(".yaml"): file for file in files}


def read_stack(folder: Path, stack: str) -> StackEntries:
    """Read a stack's file and `Pulumi.yaml`.

    Args:
        folder: The folder with both.
        stack: The stack; it need not have a file.
    """
    project = _check_project(read(folder / PROJECT_FILE))
    own = folder / stack_file(stack)
    file = _check_stack(read(own)) if own.exists() else YamlFile(own.name, {})
    problems = [*project.problems, *file.problems, *_other_files(folder)]
    name = str(project.content.get("name") or "")
    entries = dict(_defaults(project, name, problems)) | dict(_own(file, name, problems))
    return StackEntries(stack, project, file, entries, tuple(problems))


def _other_files(folder: Path) -> Iterator[Diagnostic]:
    """The files that are meant for the engine, and have another ending than those of this project.

    The engine takes the first project's file by name, so that a `Pulumi.json` replaces `Pulumi.yaml`, and gives the
    stacks' files the same ending. (`isProject` in pulumi, sdk/go/common/workspace; seen on Pulumi 3.259.)
    """
    for name in sorted(file.name for ending in ("json", "yml") for file in folder.glob(f"Pulumi*.{ending}")):
        stem = name.rpartition(".")[0]
        if name == "Pulumi.json":
            what = f"is read by the engine in place of {PROJECT_FILE}, and by no command of Lotus"
            yield Diagnostic(name, (), what, f"move its keys to {PROJECT_FILE}, and delete it", 1)
        elif stem == "Pulumi" or stem.startswith("Pulumi."):
            yield Diagnostic(name, (), "is not read", f"rename it to {stem}.yaml, or delete it", 1)


def refuse(problems: Iterable[Diagnostic]) -> None:
    """Raise an error if there are problems.

    Raises:
        LotusError: With the first as `file:line: key: what: remedy`, and the number of the others.
    """
    located = sorted({LocatedDiagnostic(p.file, p.line or 1, format_path(p.path), p.what, p.remedy) for p in problems})
    for first in located:
        more = f" ({len(located) - 1} more: `lotus check` lists them)" if len(located) > 1 else ""
        what = f"{first.file}:{first.line}: {first.field or '(file)'}: {first.what}"
        raise LotusError(what, f"{first.remedy}{more}")


def read(file: Path) -> YamlFile:
    """Read a YAML file; what is wrong with it is among its problems."""
    try:
        node = yaml.compose(read_file(str(file)).decode(), Loader=_Loader)
        reader = _Reader()
        content = reader.value(node, ()) if node is not None else {}
    except UnreadableError as error:
        return _unreadable(file, error.what, error.remedy)
    except (UnicodeDecodeError, RecursionError):
        return _unreadable(file, "can't be read as YAML", _SYNTAX)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return _unreadable(file, "can't be read as YAML", _SYNTAX, mark.line + 1 if mark is not None else 1)
    if content is None:
        content = {}
    if not isinstance(content, dict):
        return _unreadable(file, "is not an object", "write its keys one a line")
    problems = tuple(Diagnostic(file.name, *each) for each in reader.problems)
    return YamlFile(file.name, content, reader.lines, problems)


def _unreadable(file: Path, what: str, remedy: str, line: int = 1) -> YamlFile:
    return YamlFile(file.name, {}, {}, (Diagnostic(file.name, (), what, remedy, line),), readable=False)


def _check_stack(file: YamlFile) -> YamlFile:
    problems = list(_unknown_keys(file, _STACK_KEYS | {_ENVIRONMENT}))
    problems += [
        file.problem((key,), "is not a text", "restore it from version control")
        for key in ("encryptedkey", "encryptionsalt", "secretsprovider")
        if not isinstance(file.content.get(key, ""), str)
    ]
    if _ENVIRONMENT in file.content:
        what = "brings values that no file has, so that no command of Lotus can check them"
        problems.append(file.problem((_ENVIRONMENT,), what, f"write them below {_CONFIG}, and delete the key"))
    if not isinstance(file.content.get(_CONFIG) or {}, dict):
        problems.append(file.problem((_CONFIG,), "is not an object", "write the values below it, one a line"))
    return replace(file, problems=(*file.problems, *problems))


def _check_project(file: YamlFile) -> YamlFile:
    problems = list(_unknown_keys(file, _PROJECT_KEYS))
    backend = file.content.get("backend")
    unknown = backend.keys() - {"url"} if isinstance(backend, dict) else ()
    problems += [file.problem(("backend", key), "unknown key", 'the only known key is "url"') for key in unknown]
    elsewhere = "stackConfigDir" if "stackConfigDir" in file.content else _CONFIG
    if elsewhere in file.content and not isinstance(file.content[elsewhere] or {}, dict):
        what = "moves the stacks' files to another folder, where no command of Lotus reads them"
        problems.append(file.problem((elsewhere,), what, f"keep them beside {PROJECT_FILE}, and delete the key"))
    return replace(file, problems=(*file.problems, *problems))


def _unknown_keys(file: YamlFile, known: frozenset[str]) -> Iterator[Diagnostic]:
    for key in file.content:
        if key not in known:
            remedy = _MISPLACED if ":" in key else suggestion(key, known, f"known keys are {', '.join(sorted(known))}")
            yield file.problem((key,), "unknown key", remedy)


def _own(file: YamlFile, project: str, problems: list[Diagnostic]) -> Iterator[tuple[str, Entry]]:
    """The values of a stack's file by full key; the engine refuses one without a namespace."""
    config = file.content.get(_CONFIG)
    for key, value in config.items() if isinstance(config, dict) else ():
        full = key if ":" in key else f"{project}:{key}"
        if full != key:
            problems.append(file.problem((_CONFIG, key), "has no namespace", f"write {full}", field=(key,)))
        elif value is None:
            problems.append(file.problem((_CONFIG, key), "is empty", "write a value, or delete it", field=(key,)))
        else:
            yield full, Entry(value, file, (_CONFIG, key))


def _defaults(file: YamlFile, project: str, problems: list[Diagnostic]) -> Iterator[tuple[str, Entry]]:
    """The values that the project's file sets for all stacks; a declaration without a value sets none."""
    config = file.content.get(_CONFIG)
    for key, given in config.items() if isinstance(config, dict) else ():
        full, path = key if ":" in key else f"{project}:{key}", (_CONFIG, key)
        if not isinstance(given, dict):
            yield full, Entry(given, file, path)
            continue
        for flaw_path, what, remedy in _declaration_flaws(given, declares=full.startswith(f"{project}:")):
            problems.append(file.problem((*path, *flaw_path), what, remedy, field=(key, *flaw_path)))
        for form in ("value", "default"):
            if given.get(form) is not None:
                yield full, Entry(given[form], file, (*path, form))
                break


def _declaration_flaws(given: Mapping[str, Value], *, declares: bool) -> Iterator[tuple[JsonPath, str, str]]:
    """What is wrong with an object in the project's file, by the engine's rules (workspace/project.go).

    Args:
        given: The object.
        declares: Whether its key is in the project's namespace, so that it may have a type and a default.
    """
    for key in given:
        if key not in _DECLARATION_KEYS:
            likely = nearest(key, _DECLARATION_KEYS, _MISSPELT)
            remedy = 'write the whole object below "value"' if likely is None else f'did you mean "{likely}"?'
            yield (key,), f"unknown key in {PROJECT_FILE}", remedy
        elif key in {"default", "type", "items"} and not declares:
            yield (key,), "is only for keys of the project's own namespace", 'write "value" instead'
    if not declares and given.get("value") is None and given.keys() <= _DECLARATION_KEYS:
        yield (), "has no value", 'add "value"'
    if "default" in given and "value" in given:
        yield ("default",), 'stands beside "value"', "delete one of the two"


class _Loader(yaml.SafeLoader):
    """Composes nodes with their lines, and gives plain texts no type: `_plain` does, by the engine's rules."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012, as its base has it


_TEXT: Final = "tag:yaml.org,2002:str"
_TAGS: Final = frozenset({_TEXT, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_OTHER_BASE: Final = re.compile(r"[-+]?0([bB][01_]+|[oO]?[0-7_]+|[xX][0-9a-fA-F_]+)")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def _plain(text: str) -> str | int | float | bool | None:
    """The value of a text without quotes, as the engine's YAML reader (yaml.v3) takes it."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _OTHER_BASE.fullmatch(text):
        sign, digits = -1 if text[0] == "-" else 1, text.lstrip("+-").lower().replace("_", "")
        return sign * int(digits, 0 if digits[1].isalpha() else 8)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() else number
    return text


class _Reader:
    """Turns nodes into values, and notes the line of each key and the duplicate keys."""

    def __init__(self) -> None:
        self.lines: dict[JsonPath, int] = {}
        self.problems: list[tuple[JsonPath, str, str, int]] = []
        self._left = _MOST_VALUES

    def value(self, node: yaml.Node, path: JsonPath) -> Value:
        """The value of a node.

        Raises:
            UnreadableError: The file has too many values.
        """
        self._left -= 1
        if self._left < 0:
            raise UnreadableError("has too many values, its repeated ones included", "write fewer aliases")
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if node.tag not in _TAGS:
            self.problems.append((_shown(path), "has a YAML tag", "write the value without it", line))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.style:
            return str(node.value)
        if _DATE.fullmatch(node.value):
            what = "is a date to the engine, which gives the program another text"
            self.problems.append((_shown(path), what, "put it into quotes", line))
        return _plain(node.value)

    def _mapping(self, node: yaml.MappingNode, path: JsonPath) -> Value:
        found: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append((_shown(path), "has a key that is no text", "write a plain key", line))
                continue
            key = str(key_node.value)
            if key == "<<" and not key_node.style:
                merged = self._merged(value_node, path) | merged
                continue
            if key in found:
                self.problems.append((_shown((*path, key)), "is a duplicate key", "delete one of the two", line))
            self.lines[(*path, key)] = line
            found[key] = self.value(value_node, (*path, key))
        if found.keys() == {"secure"} and isinstance(found["secure"], str):
            return Encrypted()
        return merged | found

    def _merged(self, node: yaml.Node, path: JsonPath) -> dict[str, Value]:
        """The keys that `<<` takes over from other objects; the first of several objects wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        values = [self.value(each, path) for each in reversed(nodes)]
        return {key: inner for value in values if isinstance(value, dict) for key, inner in value.items()}


def _shown(path: JsonPath) -> JsonPath:
    """A path as it is shown: a value by its full key, as `pulumi config set --path` takes it."""
    return path[1:] if len(path) > 1 and path[0] == _CONFIG else path
