"""dagster/Dockerfile as it is written: what a linter says, what it pins, and what it is given."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lotus_infra.dagster_fingerprint import fingerprinted_files
from lotus_infra.images import Image
from toolchain.image_steps import Step, context_of, steps_of

REPOSITORY = Path(__file__).resolve().parents[2]
DOCKERFILE = REPOSITORY / "dagster" / "Dockerfile"
HADOLINT = Path(sys.executable).with_name("hadolint")


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    return steps_of(DOCKERFILE)


def values(steps: list[Step], word: str) -> list[str]:
    return [step.value for step in steps if step.word == word]


def last_stage(steps: list[Step]) -> list[Step]:
    begins = max(number for number, step in enumerate(steps) if step.word == "FROM")
    return steps[begins:]


def test_hadolint_finds_nothing() -> None:
    ran = subprocess.run([HADOLINT, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)

    assert (ran.stdout, ran.returncode) == ("", 0)
    assert "hadolint ignore" not in DOCKERFILE.read_text(encoding="utf-8")


def test_hadolint_is_one_that_finds_something() -> None:
    written = "FROM python:latest\nRUN apt-get install curl\n"
    ran = subprocess.run([HADOLINT, "-"], input=written, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert "DL3007" in ran.stdout


def test_every_stage_is_of_one_image_for_good_by_its_digest(steps: list[Step]) -> None:
    arguments = dict(value.split("=", 1) for value in values(steps, "ARG") if "=" in value)
    stages = [re.sub(r"\$\{(\w+)\}", lambda found: arguments[str(found[1])], value) for value in values(steps, "FROM")]

    assert len(stages) > 1
    for stage in stages:
        base = Image.parse(stage.partition(" AS ")[0])
        assert base.tag
        assert base.digest


def test_what_is_installed_has_a_version_and_uv_is_that_of_the_makefile(steps: list[Step]) -> None:
    installs = [value for value in values(steps, "RUN") if "pip install" in value]
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    version = re.search(r"^UV_VERSION := (\S+)$", makefile, re.MULTILINE)

    assert version is not None
    assert [install.split()[-1] for install in installs] == [f"uv=={version[1]}"]
    assert all("--locked" in value for value in values(steps, "RUN") if "uv sync" in value)


def test_the_last_stage_runs_as_a_numbered_user_that_is_not_root_and_installs_nothing(steps: list[Step]) -> None:
    last = last_stage(steps)
    assert [user.split(":") for user in values(last, "USER")] == [["10001", "10001"]]
    assert not [value for value in values(last, "RUN") if re.search(r"apt|pip|uv |curl|wget", value)]
    after = [step.word for step in last][[step.word for step in last].index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & set(after)


def test_the_server_the_health_check_and_the_port_agree(steps: list[Step]) -> None:
    last = last_stage(steps)
    [command], [check], [port] = values(last, "CMD"), values(last, "HEALTHCHECK"), values(last, "EXPOSE")
    assert json.loads(command)[:7] == ["dagster", "api", "grpc", "-h", "0.0.0.0", "-p", port]
    assert json.loads(check.partition(" CMD ")[2]) == ["dagster", "api", "grpc-health-check", "-p", port]


def test_nothing_secret_is_asked_for(steps: list[Step]) -> None:
    told = " ".join(values(steps, "ARG") + values(steps, "ENV"))
    assert not re.search(r"PASSWORD|PASSPHRASE|SECRET|TOKEN|_KEY|CREDENTIAL", told, re.IGNORECASE)
    assert not values(steps, "ADD")


def test_whatever_is_copied_is_let_through(steps: list[Step]) -> None:
    given = context_of(REPOSITORY, DOCKERFILE)
    copies = [value.split()[:-1] for value in values(steps, "COPY") if not value.startswith("--from")]
    for source in {source for sources in copies for source in sources}:
        assert [name for name in given if name == source or name.startswith(f"{source}/")], source
    assert set(fingerprinted_files(REPOSITORY)) <= set(given)


NOT_LET_THROUGH = """
.env .git/config .sandbox/env .venv/bin/python Pulumi.prod.yaml lotus_infra/program.py lotus_infra/commands/cli.py
streams/.env.prod streams/a.pem streams/shop/.orders.json.swp streams/.schema/stream.json
dagster/.env dagster/dbt/.user.yml dagster/dbt/target/manifest.json dagster/dbt/logs/dbt.log
dagster/lotus_dagster/__pycache__/lake.cpython-311.pyc
"""


def test_secrets_and_what_this_machine_made_are_not_let_through(tmp_path: Path) -> None:
    for name in [*NOT_LET_THROUGH.split(), "streams/shop/orders.json"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".dockerignore").write_bytes((REPOSITORY / ".dockerignore").read_bytes())

    let_through = set(context_of(tmp_path, tmp_path / "dagster" / "Dockerfile"))

    assert let_through - {".dockerignore"} == {"streams/shop/orders.json"}
