"""The files of a new lake, from a few answers.

Where a file, or a part of one, is the same as in Lotus's own repository, it is taken from there: repository_files.txt
lists those files and folders. The package has them below `repository/`, and a checkout in their places.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import yaml

from lotus_infra.config.settings import PLACEHOLDER
from lotus_infra.errors import REPOSITORY_URL, LotusError

CI: Final = ("github", "none")
Ci = Literal["github", "none"]
NAME: Final = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$"
"""The names of projects and stacks: Pulumi refuses others, and none looks like an option."""
MACROS: Final = "dagster/dbt/macros"
WORKFLOWS: Final = ".github/workflows"
STREAMS: Final = "streams"
_ONLY_IN_REPOSITORY: Final = (
    *("Makefile", "Pulumi.yaml", "dagster/Dockerfile", "toolchain/go.mod"),
    *(f"{WORKFLOWS}/{name}.yml" for name in ("check", "nightly", "release")),
)
"""Files that a new lake has in another form, with parts of these, or not at all."""
_SAMPLES: Final = (f"{MACROS}/money.sql", "streams/faker/products.json", "streams/faker/purchases.json")
"""Files of the repository's own samples. A new lake starts with one stream of its one source."""
_GIVEN: Final = ("__main__.py", "streams/")
"""Files of the repository that a new lake gets once, and that belong to its users from then on."""
_FIELD: Final = re.compile(r"<<(\w+)>>")
_HERE: Final = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Answers:
    """What distinguishes one new lake from another.

    Attributes:
        name: The Pulumi project.
        stack: The first stack.
        production: Whether the stack runs on the project's own state alone.
        bucket: The start of the names of its buckets.
        region: The buckets' region.
        airbyte_url: The public API of Airbyte; empty if it is not known yet.
        ci: Whose workflows are written.
        packages: Where Lotus's packages come from: a folder or page of wheels, or `git+URL@REF`; empty for the index.
        version: Lotus's.
    """

    name: str
    stack: str
    bucket: str
    region: str
    version: str
    production: bool = True
    airbyte_url: str = ""
    ci: Ci = "github"
    packages: str = ""


def given_files(answers: Answers) -> dict[str, str]:
    """The files that belong to the lake's users, by their paths: they are written once."""
    values = {
        "airbyte_url": _yaml(answers.airbyte_url or PLACEHOLDER),
        "bucket": answers.bucket,
        "engines": _part("Pulumi.yaml", r'^requiredPulumiVersion: "(.*)"$'),
        "name": answers.name,
        # The packages that the lake depends on have other names than a lake.
        "package": re.sub(r"(-lake)?$", "-lake", re.sub(r"[-_.]+", "-", answers.name.lower()), count=1),
        "packages": _packages(answers.packages),
        "pin": "" if answers.packages.startswith("git+") else f"=={answers.version}",
        "production": _production(answers),
        "project": _yaml(answers.name),
        "region": answers.region,
        "repository": REPOSITORY_URL,
        "stack": answers.stack,
    }
    return {
        ".gitignore": _template("gitignore", values),
        "Pulumi.yaml": _template("Pulumi.yaml", values),
        f"Pulumi.{answers.stack}.yaml": _template("Pulumi.stack.yaml", values),
        "README.md": _template("README.md", values),
        "pyproject.toml": _template("project.toml", values),
        **{name: text for name, text in _of_repository().items() if name.startswith(_GIVEN)},
    }


def managed_files(stack: str, ci: Ci) -> dict[str, str]:
    """The files that Lotus updates with its version, by their paths.

    Args:
        stack: The stack that `make` uses by default.
        ci: Whose workflows are among them.
    """
    copied = {name: text for name, text in _of_repository().items() if not name.startswith(_GIVEN)}
    if ci == "github":
        copied[f"{WORKFLOWS}/check.yml"] = _check_workflow()
        version = _part("toolchain/go.mod", r"^\s*github\.com/pulumi/pulumi/sdk/v3 v(\S+)")
        copied[".github/actions/setup/action.yml"] = _template("setup-action.yml", {"pulumi": version})
    else:
        copied = {n: t for n, t in copied.items() if not n.startswith(".github/") and n != "toolchain/github.py"}
    return {
        **copied,
        ".dockerignore": _template("dockerignore", {}),
        "Makefile": _template("Makefile", _makefile(stack)),
        "dagster/Dockerfile": _template("Dockerfile", _dockerfile()),
    }


def is_executable(name: str, text: str) -> bool:
    """Whether a file is started by its name."""
    return text.startswith("#!") and not name.endswith(".py")


def _production(answers: Answers) -> str:
    if not answers.production:
        return ""
    return (
        "  # The stack runs on the state that Pulumi.yaml names, and on no other.\n"
        '  lotus:production: "true"\n'
        '  lotus:protectSources: "true"\n'
    )


def _packages(packages: str) -> str:
    """The lines below `[tool.uv]` that say where Lotus's packages are."""
    if not packages:
        return ""
    if not packages.startswith("git+"):
        return f"# Lotus's packages.\nfind-links = [{_toml(packages)}]\n"
    url = packages.removeprefix("git+")
    # An `@` before the path is part of the address, as in ssh://git@host/path. A branch may have slashes.
    scheme, _, rest = url.partition("://")
    server, slash, path = rest.partition("/")
    path, _, reference = path.partition("@")
    address = f"{scheme}://{server}{slash}{path}"
    source = f"git = {_toml(address)}" + (f", rev = {_toml(reference)}" if reference else "")
    return (
        "\n[tool.uv.sources]\n"
        f"lotus-infra = {{ {source} }}\n"
        f'lotus-dagster = {{ {source}, subdirectory = "dagster" }}\n'
        f'pulumi-airbyte = {{ {source}, subdirectory = "packages/pulumi-airbyte" }}\n'
    )


def _yaml(text: str) -> str:
    """A text in YAML: in the quotes of JSON if it would be read as something else, as `123` or `null` would."""
    try:
        plain = yaml.safe_load(f"key: {text}")
    except yaml.YAMLError:
        plain = None
    return text if plain == {"key": text} else json.dumps(text)


def _toml(text: str) -> str:
    """A text in TOML, whose strings are those of JSON."""
    return json.dumps(text, ensure_ascii=False)


def _makefile(stack: str) -> dict[str, str]:
    targets = _part("Makefile", r"(?s)^(check: .*?)\n\nsandbox: ")
    return {
        "stack": stack,
        "names": " ".join(re.findall(r"(?m)^([a-z-]+):", targets)),
        "uv": _part("Makefile", r"^(UV_VERSION := .*\nUV := .*)$"),
        "targets": targets.replace("this repository", "this lake"),
        "install": _part("Makefile", r"(?s)^(# Without uv on PATH.*)\n\Z"),
    }


def _dockerfile() -> dict[str, str]:
    return {
        "python": _part("dagster/Dockerfile", r"^(ARG PYTHON=.*)$"),
        "install_uv": _part("dagster/Dockerfile", r"^(RUN pip install .*)$"),
        "lake": _part("dagster/Dockerfile", r"(?s)^(COPY dagster/dbt .*?)\n\n+FROM "),
        "last_stage": _part("dagster/Dockerfile", r"(?s)\nFROM \$\{PYTHON\}\nENV [^\n]*\n(.*)\n\Z"),
    }


def _check_workflow() -> str:
    """The workflow `check` without the jobs for Lotus's own code."""
    text = _repository_text(f"{WORKFLOWS}/check.yml")
    for job in ("code", "cluster"):
        text, found = re.subn(rf"(?ms)^  {job}:\n.*?(?=^  \w+:\n)", "", text)
        if not found:
            raise LotusError(f"check.yml has no job {job}", f"report it at {REPOSITORY_URL}/issues")
    return text


def _part(name: str, pattern: str) -> str:
    found = re.search(pattern, _repository_text(name), re.MULTILINE)
    if found is None:
        raise LotusError(f"{name} has no {pattern}", f"report it at {REPOSITORY_URL}/issues")
    return found[1]


def _template(name: str, values: Mapping[str, str]) -> str:
    text = (_HERE / "templates" / name).read_text(encoding="utf-8")
    return _FIELD.sub(lambda field: values[field[1]], text).rstrip("\n") + "\n"


def _of_repository() -> dict[str, str]:
    root = _repository()
    listed = (_HERE / "repository_files.txt").read_text(encoding="utf-8").split()
    names = sorted(file.relative_to(root).as_posix() for one in listed for file in _files(root / one))
    left_out = {*_ONLY_IN_REPOSITORY, *_SAMPLES}
    return {name: _repository_text(name) for name in names if name not in left_out}


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    # Leftovers of Python and of editors are no part of a folder.
    inside = ((each, each.relative_to(path).parts) for each in path.rglob("*") if each.is_file())
    yield from (each for each, parts in inside if not any(part.startswith((".", "__")) for part in parts))


def _repository_text(name: str) -> str:
    return (_repository() / name).read_text(encoding="utf-8")


def _repository() -> Path:
    packaged = _HERE / "repository"
    return packaged if packaged.is_dir() else _HERE.parents[1]
