"""Runs the steps of dagster/Dockerfile without Docker, in an empty folder that stands in for the root of the image.

What is real: the context as .dockerignore lets it through, every COPY, every RUN that needs no root, the environment
that the Dockerfile sets and nothing of this machine's, and afterwards CMD and HEALTHCHECK. What is not: the base image
(its Python is a fresh virtual environment of this machine's), and the steps that `Built.left_out` names.

Nothing here depends on what the image is for. Paths of the image are found again below the folder, by those in `MOVED`.
"""

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docker.utils.build import exclude_paths
from dockerfile_parse import DockerfileParser

MOVED = ("app", "home")
NEEDS_ROOT = ("apt-get", "chown", "groupadd", "useradd")
KEPT = ("PIP_", "UV_", "SSL_", "REQUESTS_CA", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""How this machine reaches the package registry; Docker, too, gets it from outside the Dockerfile."""


class StepError(Exception):
    """A step of the Dockerfile failed or is of a kind that is not known here."""


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction of a Dockerfile: `RUN`, and what comes after it on its line."""

    word: str
    value: str

    def __str__(self) -> str:
        return f"{self.word} {self.value}"


@dataclass
class Built:
    """What the steps have made.

    Attributes:
        root: The folder that stands in for `/`.
        environment: The variables that the image sets.
        folder: The working directory, as a path of this machine.
        command: What CMD starts.
        health_check: What HEALTHCHECK calls.
        labels: By their names.
        left_out: The steps that need Docker or root, as they are written.
    """

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    command: tuple[str, ...] = ()
    health_check: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def steps_of(dockerfile: Path) -> list[Step]:
    """The instructions of a Dockerfile, without its comments."""
    found = DockerfileParser(fileobj=io.BytesIO(dockerfile.read_bytes())).structure
    return [Step(each["instruction"], each["value"]) for each in found if each["instruction"] != "COMMENT"]


def context_of(folder: Path, dockerfile: Path) -> list[str]:
    """The files that a build is given: those that .dockerignore lets through, sorted, as paths below the folder."""
    lines = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    given = exclude_paths(str(folder), patterns, dockerfile=dockerfile.relative_to(folder).as_posix())
    return sorted(name for name in given if (folder / name).is_file())


def build(context: Path, dockerfile: Path, root: Path, arguments: Mapping[str, str]) -> Built:
    """Run the steps.

    Args:
        context: The folder that `docker build` would be given.
        dockerfile: Inside of it.
        root: An empty folder.
        arguments: For ARG, as `--build-arg` gives them.

    Raises:
        StepError: A step failed.
    """
    return _Builder(context, context_of(context, dockerfile), root, arguments).build(steps_of(dockerfile))


class _Builder:
    def __init__(self, context: Path, given: list[str], root: Path, arguments: Mapping[str, str]) -> None:
        self._context, self._given, self._arguments = context, given, arguments
        self._built = Built(root)
        self._global: dict[str, str] = {}
        self._scope: dict[str, str] = {}
        self._stage = ""

    def build(self, steps: list[Step]) -> Built:
        for step in steps:
            do = getattr(self, f"_{step.word.lower()}", None)
            if do is None:
                raise StepError(f"{step.word} is not known here")
            do(step)
        return self._built

    def _from(self, step: Step) -> None:
        """A stage begins in an empty image; what the one before has made is kept for COPY --from."""
        root = self._built.root
        for name in MOVED:
            if (root / name).exists():
                (root / "stages" / self._stage).mkdir(parents=True, exist_ok=True)
                (root / name).rename(root / "stages" / self._stage / name)
        shutil.rmtree(root / "usr", ignore_errors=True)
        venv.create(root / "usr/local", symlinks=True)
        base, _, name = self._expanded(step.value, self._global).partition(" AS ")
        self._stage = name
        path = f"{root}/usr/local/bin:/usr/bin:/bin"
        self._built = Built(root, {"PATH": path}, root, left_out=[*self._built.left_out, f"FROM {base}"])
        self._scope = {}

    def _arg(self, step: Step) -> None:
        name, _, default = step.value.partition("=")
        before_any_stage = not self._built.environment
        (self._global if before_any_stage else self._scope)[name] = self._arguments.get(name, default)

    def _env(self, step: Step) -> None:
        self._built.environment |= self._pairs(step)

    def _label(self, step: Step) -> None:
        self._built.labels |= self._pairs(step)

    def _workdir(self, step: Step) -> None:
        self._built.folder = self._here(step.value)
        self._built.folder.mkdir(parents=True, exist_ok=True)

    def _copy(self, step: Step) -> None:
        *sources, target = shlex.split(step.value)
        options = [sources.pop(0) for each in list(sources) if each.startswith("--")]
        stage = next((each.removeprefix("--from=") for each in options if each.startswith("--from=")), None)
        for source in sources:
            if stage is not None:
                found = self._built.root / "stages" / stage / source.lstrip("/")
            else:
                found = self._let_through(source)
            self._put(found, self._here(target), into=target.endswith("/"))

    def _let_through(self, source: str) -> Path:
        """A copy of a source that has only what the context gives."""
        names = [name for name in self._given if name == source or name.startswith(f"{source.rstrip('/')}/")]
        if not names:
            raise StepError(f"COPY {source}: .dockerignore lets nothing of it through")
        staging = self._built.root / "context"
        for name in names:
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self._context / name, staging / name)
        return staging / source

    def _put(self, source: Path, target: Path, *, into: bool) -> None:
        if source.is_dir():
            # Links in place of copies: an environment has hundreds of megabytes, and no step writes into a file of it.
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, copy_function=os.link)
        else:
            place = target / source.name if into or target.is_dir() else target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)

    def _run(self, step: Step) -> None:
        if any(re.search(rf"(^|[\s;&|]){word}\s", step.value) for word in NEEDS_ROOT):
            self._leave_out(step)
            return
        if re.search(r"\bpip\b", step.value):
            # The base image has it; it is seconds of work, and most steps do without.
            venv.create(self._built.root / "usr/local", with_pip=True, symlinks=True)
        machine = {name: value for name, value in os.environ.items() if name.upper().startswith(KEPT)}
        environment = machine | self._scope | self._built.environment
        command = ["/bin/sh", "-c", self._moved(step.value)]
        ended = subprocess.run(
            command, cwd=self._built.folder, env=environment, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise StepError(f"{step} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")

    def _leave_out(self, step: Step) -> None:
        self._built.left_out.append(str(step))

    _user = _expose = _leave_out

    def _cmd(self, step: Step) -> None:
        self._built.command = tuple(json.loads(step.value))

    def _healthcheck(self, step: Step) -> None:
        self._built.health_check = tuple(json.loads(step.value.partition(" CMD ")[2]))

    def _pairs(self, step: Step) -> dict[str, str]:
        known = self._scope | self._built.environment
        pairs = (pair.partition("=") for pair in shlex.split(step.value))
        return {name: self._expanded(self._moved(value), known) for name, _, value in pairs}

    def _expanded(self, text: str, known: Mapping[str, str]) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda found: known.get(found.group(1), ""), text)

    def _moved(self, text: str) -> str:
        """A text of the Dockerfile with the image's paths as paths of this machine."""
        return re.sub(rf"(?<![\w./}}-])/(?=({'|'.join(MOVED)})\b)", f"{self._built.root}/", text)

    def _here(self, path: str) -> Path:
        return Path(self._moved(path)) if path.startswith("/") else self._built.folder / path
