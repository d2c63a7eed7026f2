"""Mutation testing: which changes of the pure rules no test notices.

`make mutants` or `make mutants AREA=lake`. mutmut wants the packages of its one source tree at the top of a folder, so
that a copy of the repository is laid out that way in `.mutants/`, which also keeps its results; a later run tests again
only what changed. `mutmut show <name>` and `mutmut browse`, called in that folder, show the survivors.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / ".mutants"
PACKAGES: Final = {
    "lotus_infra": "lotus_infra",
    "airbyte_model": "packages/airbyte-model/airbyte_model",
    "pulumi_airbyte": "packages/pulumi-airbyte/pulumi_airbyte",
    "airbyte_twin": "packages/airbyte-twin/airbyte_twin",
}
COPIED: Final = ("tests", "conftest.py", "streams", "dagster", "docs", "toolchain", "Pulumi.yaml", "Pulumi.prod.yaml")
"""What tests read beside the packages."""
LEFT: Final = shutil.ignore_patterns("__pycache__", ".*", "bin", "node_modules", "target")
PROVIDER: Final = ("reconcile", "three_way", "losses", "schedule")


@dataclass(frozen=True)
class Area:
    """What is mutated, and the tests that should notice.

    Attributes:
        modules: patterns of files.
        tests: files and folders. They are fast: each mutant runs those of them that reach it.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]


AREAS: Final = {
    "airbyte_model": Area(("airbyte_model/*",), ("tests/unit/airbyte_model", "tests/unit/lake")),
    "lake": Area(("lotus_infra/lake/*",), ("tests/unit/lake", "tests/unit/test_naming.py")),
    "plan": Area(("lotus_infra/plan/*",), ("tests/unit/plan", "tests/golden/test_comment.py")),
    "provider": Area(tuple(f"pulumi_airbyte/provider/{name}.py" for name in PROVIDER), ("tests/unit/pulumi_airbyte",)),
}


def main() -> int:
    """Test the mutants of the areas that are named, or of all; print the score and the survivors of each."""
    names = sys.argv[1:] or list(AREAS)
    if unknown := sorted(set(names) - AREAS.keys()):
        print(f"error: {', '.join(unknown)}: no such area: choose from {', '.join(AREAS)}", file=sys.stderr)
        return 1
    return max(_tested(FOLDER / name, AREAS[name]) for name in names)


def _tested(folder: Path, area: Area) -> int:
    _lay_out(folder)
    _configure(folder / "pyproject.toml", area)
    environment = {"LOTUS_SHARED_DATA": str(ROOT.parent / "shared" / "data")} | os.environ
    code = subprocess.run(["mutmut", "run"], cwd=folder, env=environment, check=False).returncode
    subprocess.run(["mutmut", "results"], cwd=folder, env=environment, check=False)
    return code


def _lay_out(folder: Path) -> None:
    """Copy packages and tests beside each other; mutmut keeps its results for unchanged files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, place in [*PACKAGES.items(), *((name, name) for name in COPIED)]:
        source, target = ROOT / place, folder / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=LEFT, symlinks=True)
        elif source.is_file():
            shutil.copy2(source, target)


def _configure(path: Path, area: Area) -> None:
    """The project's own settings of pytest, and mutmut's."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    settings = {
        "source_paths": PACKAGES,
        "only_mutate": area.modules,
        "also_copy": COPIED,
        "pytest_add_cli_args_test_selection": area.tests,
        # Whatever is drawn must be the same for each mutant.
        "pytest_add_cli_args": ("-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed", "0"),
    }
    lines = [f"{name} = {list(values)}" for name, values in settings.items()]
    path.write_text("\n".join([text, "[tool.mutmut]", *lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
