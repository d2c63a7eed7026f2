"""What a user sees of a program that the Python host runs, and how Ctrl-C ends it; and where the stand-in differs.

A test that asks for `stand_in_host` holds a difference, which docs/language-host.md lists.
"""

import json
import os
import select
import signal
import sys
from pathlib import Path

import pytest

from tests.engine.harness import Pulumi
from toolchain.languages import generators

HOLD_ON_REQUEST = """
import os
import threading

import pulumi


class Thing(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:index:Thing", name)
        self.register_outputs({})


Thing("before")
print("the program waits", flush=True)
if os.environ.get("HOLD") == "blocked":
    threading.Event().wait()


async def main():
    if os.environ.get("HOLD") == "awaiting":
        import asyncio

        await asyncio.Event().wait()
    Thing("after")
    return {"finished": True}


pulumi.run(main)
"""


def test_outputs_of_a_program_reach_the_stack(pulumi: Pulumi) -> None:
    pulumi.program("import pulumi\npulumi.export('answer', {'numbers': [1, 2]})\n")

    pulumi.up().ok()

    assert pulumi.outputs() == {"answer": {"numbers": [1, 2]}}


def test_a_config_secret_is_readable_in_the_program_and_encrypted_in_the_state(pulumi: Pulumi) -> None:
    pulumi.program(
        "import pulumi\nconfig = pulumi.Config()\n"
        "pulumi.export('plain', config.require('colour'))\n"
        "pulumi.export('hidden', config.require_secret('word').apply(str.upper))\n"
    )
    pulumi.config_set("colour", "green")
    pulumi.config_set("word", "not-for-the-state", secret=True)

    shown = pulumi.up().ok().output

    assert pulumi.outputs(show_secrets=True) == {"plain": "green", "hidden": "NOT-FOR-THE-STATE"}
    stored = "".join(path.read_text("utf-8") for path in pulumi.state.rglob("*.json"))
    assert "green" in stored
    for text in (shown, stored):
        assert "not-for-the-state" not in text.lower()


def test_a_program_is_run_in_its_own_folder_with_its_modules_importable(pulumi: Pulumi) -> None:
    (pulumi.project / "helper.py").write_text("ANSWER = 42\n", encoding="utf-8")
    pulumi.program(
        "import os, sys\nimport helper, pulumi\n"
        "pulumi.export('answer', helper.ANSWER)\n"
        "pulumi.export('where', os.path.samefile(os.getcwd(), os.path.dirname(__file__)))\n"
        "pulumi.export('arguments', sys.argv[1:])\n"
    )

    pulumi.up().ok()

    assert pulumi.outputs() == {"answer": 42, "where": True, "arguments": []}


def test_what_a_program_prints_is_shown(pulumi: Pulumi) -> None:
    pulumi.program("import sys\nprint('to standard output')\nprint('to standard error', file=sys.stderr)\n")

    shown = pulumi.preview().ok().output

    assert "to standard output" in shown
    assert "to standard error" in shown


def test_exit_handlers_of_a_program_run(pulumi: Pulumi) -> None:
    pulumi.program("import atexit\natexit.register(print, 'tidied up')\n")

    assert "tidied up" in pulumi.preview().ok().output


def test_an_exception_is_shown_as_a_traceback_of_the_users_code_alone(pulumi: Pulumi) -> None:
    (pulumi.project / "helper.py").write_text("def fail():\n    raise ValueError('broken on purpose')\n", "utf-8")
    pulumi.program("import helper\nhelper.fail()\n")

    shown = pulumi.up().failed().output

    assert shown.count("ValueError: broken on purpose") == 1
    assert "__main__.py" in shown
    assert "helper.py" in shown
    for machinery in ("language_host.py", "runpy", "asyncio", "stack.py", "unhandled error occurred"):
        assert machinery not in shown


def test_an_exception_in_an_async_program_is_shown_the_same_way(pulumi: Pulumi) -> None:
    pulumi.program(
        "import pulumi\nasync def main():\n    raise ValueError('broken later')\npulumi.run(main)\n",
    )

    shown = pulumi.up().failed().output

    assert shown.count("ValueError: broken later") == 1
    assert "in main" in shown
    assert "stack.py" not in shown


def test_a_syntax_error_is_shown_with_its_line(pulumi: Pulumi) -> None:
    pulumi.program("lake = (\n")

    shown = pulumi.preview().failed().output

    assert "SyntaxError" in shown
    assert "line 1" in shown


@pytest.mark.usefixtures("stand_in_host")
def test_a_syntax_error_is_shown_without_the_machinery(pulumi: Pulumi) -> None:
    pulumi.program("lake = (\n")

    assert "runpy" not in pulumi.preview().failed().output


def test_a_run_error_is_one_line(pulumi: Pulumi) -> None:
    pulumi.program("import pulumi\nraise pulumi.RunError('the lake has 3 problems')\n")

    shown = pulumi.up().failed().output

    assert "error: the lake has 3 problems" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(("statement", "code"), [("sys.exit(3)", 3), ("sys.exit('no lake here')", 1)])
def test_a_program_that_exits_with_a_code_fails_and_names_it(pulumi: Pulumi, statement: str, code: int) -> None:
    pulumi.program(f"import sys\n{statement}\n")

    shown = pulumi.up().failed().output

    assert f"program exited with non-zero exit code: {code}" in shown
    assert ("no lake here" in shown) == ("no lake here" in statement)


def test_a_program_that_exits_with_zero_succeeds(pulumi: Pulumi) -> None:
    pulumi.program("import sys\nsys.exit()\n")

    pulumi.up().ok()


@pytest.mark.usefixtures("stand_in_host")
def test_a_missing_program_is_named(pulumi: Pulumi) -> None:
    shown = pulumi.preview().failed().output

    assert "unable to find main python program `__main__.py`" in shown


@pytest.mark.usefixtures("stand_in_host")
@pytest.mark.parametrize(
    ("hold", "command"),
    [
        ("blocked", ("up", "--yes", "--skip-preview")),
        pytest.param("awaiting", ("up", "--yes", "--skip-preview"), marks=pytest.mark.nightly),
        pytest.param("blocked", ("preview",), marks=pytest.mark.nightly),
        pytest.param("awaiting", ("preview",), marks=pytest.mark.nightly),
    ],
)
def test_ctrl_c_ends_cleanly_and_the_next_up_works(pulumi: Pulumi, hold: str, command: tuple[str, ...]) -> None:
    pulumi.program(HOLD_ON_REQUEST)
    pulumi.environment["HOLD"] = hold
    process = pulumi.start(*command)
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "the program waits" in line:
            break
    else:
        pytest.fail("the program never ran:\n" + "".join(seen))

    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)

    shown = "".join(seen) + stdout + stderr
    assert process.returncode not in {0, -signal.SIGINT}
    assert "canceled" in shown
    for mess in ("Traceback", "KeyboardInterrupt", "terminating", "panic"):
        assert mess not in shown.replace("press ^C again", "").replace("Note that terminating immediately", "")
    assert pulumi.locks() == []
    assert not pulumi.stack_export().get("pending_operations")
    del pulumi.environment["HOLD"]
    pulumi.up().ok()
    assert pulumi.outputs() == {"finished": True}
    assert {urn.split("::")[-1] for urn in pulumi.resources()} >= {"before", "after"}


def test_steps_name_what_each_resource_goes_through(pulumi: Pulumi) -> None:
    pulumi.program(HOLD_ON_REQUEST)

    planned = pulumi.preview("--json").ok().steps()
    done = pulumi.up("--json").ok().steps()
    again = pulumi.preview("--json").ok()

    expected = [("create", "pulumi:pulumi:Stack"), ("create", "test:index:Thing"), ("create", "test:index:Thing")]
    assert sorted((step.op, step.type) for step in planned) == expected
    assert sorted((step.op, step.type) for step in done) == expected
    assert {step.name for step in done} == {"test-project-test", "before", "after"}
    assert {step.op for step in again.steps()} == {"same"}
    assert again.changes() == ()


def test_the_host_ends_when_the_cli_is_killed(pulumi: Pulumi) -> None:
    held = pulumi.project / "held"
    os.mkfifo(held)
    pulumi.program("import threading\nheld = open('held', 'w')\nthreading.Event().wait()\n")
    process = pulumi.start("preview")

    with held.open("rb", buffering=0) as lifeline:  # Opens once the program has opened its end.
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        ready, _, _ = select.select([lifeline], [], [], 60)

        assert ready, "the program still runs"
        assert lifeline.read() == b""


def test_a_program_imports_what_is_installed_rather_than_the_hosts_own_modules(pulumi: Pulumi) -> None:
    pulumi.program("import sys, pulumi\npulumi.export('found', [p for p in sys.path if p.endswith('toolchain')])\n")

    pulumi.up().ok()

    assert pulumi.outputs() == {"found": []}


def test_a_typechecker_that_finds_a_mistake_stops_the_run(pulumi: Pulumi) -> None:
    options = {"typechecker": "mypy", "toolchain": "pip", "virtualenv": sys.prefix}
    definition = {"name": "test-project", "runtime": {"name": "python", "options": options}}
    (pulumi.project / "Pulumi.yaml").write_text(json.dumps(definition), encoding="utf-8")
    pulumi.program("import pulumi\npulumi.export('never', 1)\nwidth: int = 'wide'\n")

    shown = pulumi.preview().failed().output

    assert "mypy failed" in shown
    assert "Incompatible types in assignment" in shown


@pytest.mark.usefixtures("stand_in_host")
def test_a_debugger_is_refused_with_what_to_do(pulumi: Pulumi) -> None:
    pulumi.program("import pulumi\n")

    shown = pulumi.preview("--attach-debugger=program").failed().output

    assert "attaches no debugger: install the official Pulumi CLI" in shown


def test_about_names_the_python_and_lists_the_packages_that_no_other_needs(pulumi: Pulumi) -> None:
    pulumi.program("")

    about = json.loads(pulumi.run("about", "--json").stdout)
    whole = json.loads(pulumi.run("about", "--json", "--transitive").stdout)

    assert about["runtime"]["language"] == "python"
    assert about["runtime"]["version"] == ".".join(map(str, sys.version_info[:3]))
    direct, all_of_them = ({each["name"] for each in listed["dependencies"]} for listed in (about, whole))
    assert "lotus-dagster" in direct < all_of_them
    assert "grpcio" in all_of_them - direct


@pytest.mark.usefixtures("stand_in_host")
def test_installing_changes_nothing_and_tells_when_plugins_are_downloaded(pulumi: Pulumi) -> None:
    pulumi.program("")

    shown = pulumi.run("install").ok().output

    assert "The environment is already installed. A provider's plugin is downloaded when a program first" in shown


@pytest.mark.usefixtures("stand_in_host")
def test_a_plugin_of_another_toolchain_is_refused_with_what_to_do(pulumi: Pulumi) -> None:
    plugin = pulumi.project.parent / "plugin"
    plugin.mkdir()
    runtime = {"name": "python", "options": {"toolchain": "poetry"}}
    (plugin / "PulumiPlugin.yaml").write_text(json.dumps({"runtime": runtime}), encoding="utf-8")
    (plugin / "__main__.py").write_text("", encoding="utf-8")

    shown = pulumi.run("package", "get-schema", str(plugin)).failed().output

    assert "with `toolchain: pip` only, and this one has `toolchain: poetry`: install the official" in shown


def test_an_sdk_is_written_with_the_engines_generators(pulumi: Pulumi, tmp_path: Path) -> None:
    generators(["python"])
    pulumi.program("")
    schema = {"name": "shop", "version": "1.2.3", "resources": {"shop:index:Till": {"type": "object"}}}
    (tmp_path / "shop.json").write_text(json.dumps(schema), encoding="utf-8")

    shown = pulumi.run("package", "gen-sdk", str(tmp_path / "shop.json"), "--language", "python", "--out", "sdks").ok()

    assert "Method not implemented" not in shown.output
    assert (pulumi.project / "sdks" / "python" / "pulumi_shop" / "till.py").exists()


@pytest.mark.usefixtures("stand_in_host")
def test_packing_a_package_is_refused_with_what_to_do(pulumi: Pulumi) -> None:
    pulumi.program("")

    shown = pulumi.run("package", "pack-sdk", "python", str(pulumi.project)).failed().output

    assert "builds no packages: run `python -m build --wheel" in shown


@pytest.mark.usefixtures("stand_in_host")
def test_adding_a_package_adds_its_sdk_to_the_requirements_and_shows_how_to_install_it(
    pulumi: Pulumi, tmp_path: Path
) -> None:
    generators(["python"])
    pulumi.program("")
    (pulumi.project / "requirements.txt").write_text("pulumi>=3,<4\n", encoding="utf-8")
    schema = {"name": "shop", "version": "1.2.3", "resources": {"shop:index:Till": {"type": "object"}}}
    (tmp_path / "shop.json").write_text(json.dumps(schema), encoding="utf-8")

    pulumi.run("package", "add", str(tmp_path / "shop.json")).ok()
    shown = pulumi.run("package", "add", str(tmp_path / "shop.json")).ok().output

    assert (pulumi.project / "requirements.txt").read_text("utf-8") == "pulumi>=3,<4\nsdks/shop\n"
    assert "-m pip install -r requirements.txt" in shown
    assert "import pulumi_shop as shop" in shown
