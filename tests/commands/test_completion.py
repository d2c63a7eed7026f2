"""Names that a shell completes: by click's protocol, and in the shells of this machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from lotus_infra.commands.cli import lotus
from lotus_infra.commands.completion import VARIABLE
from tests.support.lakes import clean_files, source, stream, write

LOTUS = Path(sys.executable).parent / "lotus"
SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A project with two stacks, whose lake has a source with two connections."""
    shop = source()
    shop["connections"] = {"daily": {}, "hourly": {}}
    write(
        tmp_path / "streams",
        clean_files()
        | {
            "shop/_source.json": shop,
            "shop/refunds.json": stream(stream="refunds"),
            "shop/_discovered/orders.json": {},
            "shop/_discovered/draft_orders.json": {},
            "store/_source.json": source(),
        },
    )
    write(tmp_path, {"Pulumi.yaml": "name: lotus\n", "Pulumi.prod.yaml": "", "Pulumi.staging.yaml": ""})
    return tmp_path


def completed(folder: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The completions of the last word of a line, by the function that every shell's script calls."""
    monkeypatch.chdir(folder)
    _, *words, last = line.split(" ")
    return [each.value for each in ShellComplete(lotus, {}, "lotus", VARIABLE).get_completions(words, last)]


def asked_by(shell: str, folder: Path, line: str) -> str:
    """What the command prints when a shell's script asks for the completions of a line."""
    words = line.split(" ")
    fish = {"COMP_WORDS": " ".join(words[:-1]), "COMP_CWORD": words[-1]}
    others = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    environment = os.environ | (fish if shell == "fish" else others) | {VARIABLE: f"{shell}_complete"}
    ran = subprocess.run([LOTUS], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.stdout


CASES = {
    "lotus st": ["status"],
    "lotus status s": ["shop", "shop/daily", "shop/hourly", "store"],
    "lotus status shop/": ["shop/daily", "shop/hourly"],
    "lotus sync shop st": ["store"],
    "lotus discover s": ["shop", "store"],
    "lotus backfill shop ": ["orders", "refunds"],
    "lotus backfill shop orders ": ["refunds"],
    "lotus backfill shop/daily o": ["orders"],
    "lotus scaffold st": ["store"],
    "lotus scaffold shop re": ["refunds"],
    "lotus add stream shop ": ["draft_orders"],
    "lotus add source x --destination ": ["s3"],
    "lotus add source x --connector source-s": ["source-shopify"],
    "lotus connector update d": ["destination-s3"],
    "lotus check -s ": ["prod", "staging"],
    "lotus status --stack p": ["prod"],
    "lotus diff --stack prod --stack s": ["staging"],
    "lotus graph --source shop/d": ["shop/daily"],
    "lotus schema so": ["source"],
    "lotus completion z": ["zsh"],
    "lotus add str": ["stream"],
    "lotus status --old": ["--older-than"],
}


@pytest.mark.parametrize("line", CASES)
def test_names_are_completed_from_the_files_here(lake: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completed(lake, line, monkeypatch) == CASES[line]


def test_names_come_from_the_lake_that_the_line_names(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completed(lake.parent, f"lotus status --streams {lake.name}/streams st", monkeypatch) == ["store"]
    assert completed(lake.parent, f"lotus check --streams {lake.name}/streams --stack st", monkeypatch) == ["staging"]


@pytest.mark.parametrize("line", ["status s", "check --stack ", "backfill shop ", "add stream a ", "schema x"])
def test_outside_of_a_lake_there_are_no_names_and_no_error(
    tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert completed(tmp_path, f"lotus {line}", monkeypatch) == []


def test_broken_files_are_in_the_way_of_no_completion(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (lake / "streams" / "shop" / "_source.json").write_text("{")
    (lake / "Pulumi.yaml").write_text("a: [")
    assert completed(lake, "lotus status s", monkeypatch) == ["shop", "store"]
    assert completed(lake, "lotus check --stack ", monkeypatch) == ["prod", "staging"]


def test_a_file_that_is_nested_too_deeply_is_in_the_way_of_no_completion(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lake / "streams/store/_source.json").write_text("[" * 100_000, encoding="utf-8")

    assert completed(lake, "lotus status s", monkeypatch) == ["shop", "shop/daily", "shop/hourly", "store"]


@pytest.mark.parametrize("name", ["$(touch x)", "`touch x`", "a;touch x", "a|b", "a\nb", "a\x1b[31m", "a&b", "a'b"])
def test_a_name_that_bash_would_run_or_a_terminal_obey_is_not_offered(
    name: str, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lake / "streams", {f"{name}/_source.json": source()})

    assert completed(lake, "lotus status ", monkeypatch) == ["shop", "shop/daily", "shop/hourly", "store"]


def test_names_of_commands_are_completed_without_loading_one() -> None:
    code = (
        "import sys\nfrom lotus_infra.commands.cli import lotus, main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*[name for name in sys.modules if name.startswith(('pydantic', 'lotus_infra.commands.'))])"
    )
    asked = {"_LOTUS_COMPLETE": "bash_complete", "COMP_WORDS": "lotus ", "COMP_CWORD": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = ['lotus']\n{code}"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    *names, modules = ran.stdout.splitlines()
    assert "plain,status" in names
    assert {*modules.split()} == {"lotus_infra.commands.cli", "lotus_infra.commands.terminal"}


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shells_protocol_has_the_names(lake: Path, shell: str) -> None:
    assert "shop/daily" in asked_by(shell, lake, "lotus status s")
    assert asked_by(shell, lake.parent, "lotus status s").strip() == ""


DRIVERS = {
    # What each shell does at the press of Tab, for a line that ends with a space.
    "bash": """
        shopt -s expand_aliases; eval "$(lotus completion bash)"
        COMP_WORDS=(lotus status shop/); COMP_CWORD=2; _lotus_completion lotus
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        autoload -Uz compinit; compinit -u -d "$PWD/.zcompdump"; eval "$(lotus completion zsh)"
        print -r -- "$_comps[lotus]"; compadd() { print -rl -- $completions; }
        words=(lotus status shop/); CURRENT=3; _lotus_completion
    """,
    "fish": """
        lotus completion fish | source
        complete --do-complete 'lotus status shop/'
    """,
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_makes_the_shell_complete_names(lake: Path, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed here, so its completion is not run")
    environment = {"PATH": f"{LOTUS.parent}:/usr/bin:/bin", "HOME": str(lake), "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(
        [program, "-c", DRIVERS[shell]], cwd=lake, env=environment, capture_output=True, text=True, check=False
    )
    assert "shop/daily" in ran.stdout, ran.stdout + ran.stderr
    assert "shop/hourly" in ran.stdout
    assert ran.stderr == ""


def test_an_unknown_shell_is_refused_with_the_known_ones() -> None:
    ran = subprocess.run([LOTUS, "completion", "csh"], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert all(shell in ran.stderr for shell in SHELLS)


@pytest.mark.parametrize("words", ["status", "sync", "doctor", "check", "add stream"])
def test_the_names_of_a_command_are_completed_without_the_clients_of_servers(words: str) -> None:
    code = (
        "import sys\nfrom click.shell_completion import ShellComplete\nfrom lotus_infra.commands.cli import lotus\n"
        f"ShellComplete(lotus, {{}}, 'lotus', '_LOTUS_COMPLETE').get_completions({words.split()!r}, '-')\n"
        "print(*{'boto3', 'botocore', 'kubernetes', 'pulumi', 'grpc', 'sqlglot', 'duckdb'} & {*sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "\n"
