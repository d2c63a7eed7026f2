"""What all verbs have in common: an example, a document, a plan before a change, and one line where input is bad."""

import io
import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from airbyte_twin.testing import running_twin

from lotus_infra.commands.cli import main
from tests.support.lakes import Document, clean_files, source, stream, write
from tests.support.lotus import LOADED

COMMANDS: dict[str, click.Command] = {
    (f"{name} {inner}" if inner else name): command
    for name, loaded in LOADED.items()
    if name != "completion"
    for inner, command in (loaded.commands.items() if isinstance(loaded, click.Group) else [("", loaded)])
}
"""The commands, those of groups by both their words; `completion` prints a script, for a shell alone."""
VERBS = sorted(COMMANDS)
FILES = {"check", "schema", "graph", "scaffold", "backfill", "add destination"}
"""Verbs that ask nobody for what they need."""
AIRBYTE = {"sync", "discover", "audit", "status"}
READING = {
    *("audit", "check", "comment", "diff", "drift", "gate", "graph", "preview", "query", "schema", "status", "verify"),
}
"""Verbs that change nothing but what `--write` and `--output` name; all others have a plan."""
NOWHERE = "http://127.0.0.1:9/api/public/v1"


def options_of(verb: str) -> set[str]:
    return {name for each in COMMANDS[verb].params for name in each.opts}


def example(verb: str) -> list[str]:
    """The arguments of the one example in a verb's help."""
    lines = [line.strip() for line in (COMMANDS[verb].help or "").splitlines()]
    [shown] = [line.removeprefix("Example: ") for line in lines if line.startswith("Example: ")]
    words, called = shlex.split(shown.partition(" | ")[0]), verb.split()
    assert words[: 1 + len(called)] == ["lotus", *called]
    return words[1 + len(called) :]


@pytest.mark.parametrize("verb", VERBS)
def test_the_example_of_a_verb_can_be_parsed(verb: str) -> None:
    command = COMMANDS[verb]
    try:
        command.make_context(verb, example(verb))
    except click.UsageError as error:
        pytest.fail(f"the example of {verb} is refused: {error.format_message()}")


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_what_it_does_in_a_sentence_and_prints_a_document_on_request(verb: str) -> None:
    first = (COMMANDS[verb].help or "").split("\n\n")[0]
    assert first.endswith(".")
    # What `up` prints is the engine's own.
    assert verb == "up" or "--json" in options_of(verb)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in READING])
def test_what_changes_something_can_show_its_plan_first(verb: str) -> None:
    # The engine shows and asks for `up`; --yes goes through to it.
    assert verb == "up" or {"--dry-run", "--yes"} & options_of(verb)


class Place(NamedTuple):
    """A project with a lake whose Airbyte answers nobody, to be broken one way at a time."""

    project: Path
    monkeypatch: pytest.MonkeyPatch

    def write(self, name: str, content: Document | str | bytes) -> None:
        write(self.project, {name: content})

    def folder(self, name: str) -> None:
        """A folder where a file was."""
        (self.project / name).unlink(missing_ok=True)
        (self.project / name).mkdir()

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def airbyte(self, **values: str) -> None:
        """What the stack says of its Airbyte."""
        config = {"lotus:workspaceId": "7c2e9a54-1f0b-4f7e-9a41-6f3a5d1c8b20", "lotus:landing_bucket": "landing"}
        self.write("Pulumi.prod.yaml", {"config": config | {f"airbyte:{key}": value for key, value in values.items()}})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path / "project", monkeypatch)
    clean = clean_files()
    shared = {name: clean[name] for name in clean if not name.startswith("shop/")}
    own = {"shopify/_source.json": source(), "klaviyo/_source.json": source(name="K"), "shopify/orders.json": stream()}
    write(made.project / "streams", shared | own)
    made.write("Pulumi.yaml", "name: lotus\nruntime: python\n")
    made.airbyte(serverUrl=NOWHERE)
    (tmp_path / "bin").mkdir()
    made.set(PATH=str(tmp_path / "bin"), AIRBYTE_RETRY_BASE_SECONDS="0", HOME=str(tmp_path))
    for name in ("PULUMI_STACK", "KUBECONFIG", "AIRBYTE_SERVER_URL", "AIRBYTE_WORKSPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.chdir(made.project)
    return made


class Bad(NamedTuple):
    """A kind of bad input: what breaks the place, options that break the call, and who must notice."""

    name: str
    breaks: Callable[[Place], object]
    noticed_by: set[str]
    options: tuple[str, ...] = ()


LAKE = FILES | AIRBYTE | {"up"}
READ = {"check", "graph", "backfill"}
BAD = [
    Bad("missing folder", lambda place: None, LAKE - {"schema"}, ("--streams", "no/such")),
    Bad("file for a folder", lambda place: None, LAKE - {"schema"}, ("--streams", "Pulumi.yaml")),
    Bad("not a lake", lambda place: (place.project / "empty").mkdir(), LAKE - {"schema"}, ("--streams", "empty")),
    Bad("no JSON", lambda place: place.write("streams/shopify/_source.json", "{"), {"check", "graph", *AIRBYTE}),
    Bad("a list", lambda place: place.write("streams/shopify/orders.json", "[1]"), READ),
    Bad(
        "binary", lambda place: place.write("streams/shopify/orders.json", b"\xff\x00"), {"check", "graph", "backfill"}
    ),
    Bad("folder for a file", lambda place: place.folder("streams/shopify/orders.json"), READ),
    Bad("folder for the source", lambda place: place.folder("streams/shopify/_source.json"), {"check", *AIRBYTE}),
    Bad("unknown stack", lambda place: place.set(PULUMI_STACK="nope"), {*AIRBYTE, "verify"}),
    Bad("stack with a path", lambda place: place.set(PULUMI_STACK="../../etc/passwd"), {*AIRBYTE, "verify"}),
    Bad("broken project", lambda place: place.write("Pulumi.yaml", "a: [\n"), {"check", *AIRBYTE, "verify"}),
    Bad("binary stack", lambda place: place.write("Pulumi.prod.yaml", b"\xff\x00"), {"check", *AIRBYTE, "verify"}),
    Bad("stack of a list", lambda place: place.write("Pulumi.prod.yaml", "- 1\n"), {*AIRBYTE, "verify"}),
    Bad("folder for the stack", lambda place: place.folder("Pulumi.prod.yaml"), {"check", *AIRBYTE, "verify"}),
    Bad("silent Airbyte", lambda place: None, {*AIRBYTE, "verify"}),
    Bad("no address", lambda place: place.airbyte(serverUrl="airbyte"), set(AIRBYTE)),
    Bad("no port", lambda place: place.airbyte(serverUrl="http://127.0.0.1:port/"), set(AIRBYTE)),
    Bad("no workspace", lambda place: place.write("Pulumi.prod.yaml", {"config": {"lotus:workspaceId": "x"}}), AIRBYTE),
    Bad("half a login", lambda place: place.airbyte(serverUrl=NOWHERE, clientId="id"), set(AIRBYTE)),
    Bad("no number of seconds", lambda place: place.set(AIRBYTE_RETRY_BASE_SECONDS="soon"), set(AIRBYTE)),
    Bad(
        "garbage around",
        lambda place: place.set(COLUMNS="many", LINES="-1", KUBECONFIG="\x01", AWS_ENDPOINT_URL_S3="://", TERM="x"),
        {*AIRBYTE, "verify"},
    ),
]


def run(verb: str, place: Place, options: tuple[str, ...] = ()) -> int:
    """Run the example of a verb, for a document where there is one, and return the exit code."""
    arguments = example(verb)
    if "--stack" in arguments:
        # Which stack is meant is what some kinds of bad input are about.
        at = arguments.index("--stack")
        del arguments[at : at + 2]
    as_json = ["--json"] if verb != "up" else []
    place.monkeypatch.setattr("sys.argv", ["lotus", *verb.split(), *arguments, *as_json, *options])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def files(project: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}


def must_be_one_line(verb: str, code: int, out: str, err: str) -> None:
    """An error is one line that says whose it is; a document is one, and tells what the exit code tells."""
    assert code in {0, 1}, err
    assert "Traceback" not in err
    if verb != "up":
        assert json.loads(out)["ok"] is (code == 0)
    errors = [line for line in err.splitlines() if line.startswith("lotus: ")]
    assert err == "".join(f"{line}\n" for line in errors)
    assert len(errors) <= 1


@pytest.mark.parametrize("verb", sorted({"check", "doctor", "drift", "up", "verify", *AIRBYTE}))
def test_a_misspelt_setting_of_the_stack_stops_every_verb_that_reads_it(
    verb: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.airbyte(serverUrl=NOWHERE)
    config = json.loads((place.project / "Pulumi.prod.yaml").read_text(encoding="utf-8"))["config"]
    place.write("Pulumi.prod.yaml", {"config": config | {"lotus:prodution": "true"}})
    place.set(PULUMI_STACK="prod")
    before = files(place.project)

    code = run(verb, place)

    printed = capsys.readouterr()
    must_be_one_line(verb, code, *printed)
    assert code == 1
    assert "lotus:prodution" in printed.out + printed.err
    assert "did you mean" in printed.out + printed.err
    assert files(place.project) == before


NOTICED = [(verb, bad) for bad in BAD for verb in sorted(bad.noticed_by)]
OTHERS = [
    (verb, bad)
    for bad in BAD
    for verb in VERBS
    if verb not in bad.noticed_by and (not bad.options or bad.options[0] in options_of(verb))
]
"""A verb need not read what is bad here, so that the exit code may be 0: these cases run at night."""


def named(cells: list[tuple[str, Bad]]) -> list[Any]:
    return [pytest.param(verb, bad, id=f"{verb}-{bad.name}") for verb, bad in cells]


@pytest.mark.parametrize(("verb", "bad"), named(NOTICED))
def test_bad_input_is_one_line_and_exit_code_1_and_nothing_is_written(
    verb: str, bad: Bad, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(verb, bad, place, capsys) == 1


@pytest.mark.nightly
@pytest.mark.parametrize(("verb", "bad"), named(OTHERS))
def test_bad_input_elsewhere_is_one_line_at_most(
    verb: str, bad: Bad, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    ends(verb, bad, place, capsys)


def ends(verb: str, bad: Bad, place: Place, capsys: pytest.CaptureFixture[str]) -> int:
    """Run a verb on bad input, which must print one line at most and, if it fails, write nothing."""
    bad.breaks(place)
    before = files(place.project)
    code = run(verb, place, bad.options)
    must_be_one_line(verb, code, *capsys.readouterr())
    assert code == 0 or files(place.project) == before
    return code


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """An Airbyte that knows nobody who asks."""
    with running_twin(auth="client_credentials") as twin:
        yield twin.public_url


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in {*FILES, "init"}])
def test_wrong_credentials_are_one_line(
    verb: str, place: Place, locked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place.airbyte(serverUrl=locked, clientId="00000000-0000-0000-0000-000000000000")
    place.set(AIRBYTE_CLIENT_SECRET="nobody-has-it")
    code = run(verb, place)
    printed = capsys.readouterr()
    must_be_one_line(verb, code, *printed)
    assert code == 1
    assert "nobody-has-it" not in printed.out + printed.err
