"""Gets the parts of Pulumi's language hosts that write code, and the host and converter of YAML, onto this machine.

The official hosts come with the Pulumi CLI. Where they are missing, stand-ins are built from the Go modules in
`hosts`: programs that write packages and programs for Node.js, Python, Go and .NET, and pulumi-yaml's own host.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from toolchain.engine import BIN, HERE
from toolchain.go_build import GoProgram, built

LANGUAGES: Final = ("nodejs", "python", "go", "dotnet")
MODULES: Final = HERE / "hosts"
OLDER: Final = MODULES / "dotnet"
"""The module of the generators for .NET, which are older; pulumi-yaml fits them."""
YAML: Final = "github.com/pulumi/pulumi-yaml/cmd"
NO_GO: Final = (
    "There is no Pulumi language host for this on this machine, and no Go that is new enough to build one. Do one of:\n"
    "  - install the Pulumi CLI, which brings them: https://www.pulumi.com/docs/install/\n"
    "  - install the Go that toolchain/go.mod names, or newer: https://go.dev/dl/"
)


def generators(languages: Iterable[str] = LANGUAGES) -> Path:
    """Finds the hosts that write code, or builds stand-ins for those that are missing.

    A stand-in can't run a program, and a folder of its own keeps it out of the way of a host that can.

    Returns:
        The folder to put in front of PATH.

    Raises:
        EngineError: a host is missing, and there is no Go that can build it, or the build failed.
    """
    folder = BIN / "generators"
    for language in languages:
        name = f"pulumi-language-{language}"
        if not _is_official(name):
            _link(folder / name, _generator(folder, OLDER if language == "dotnet" else MODULES / "current"))
    return folder


def _generator(folder: Path, module: Path) -> Path:
    called = "generator of SDKs" + (" for .NET" if module == OLDER else "")
    program = GoProgram(module, ".", called, "one to four minutes", NO_GO, shared=(MODULES / "host",))
    return built(folder / f"generator-{module.name}", program)


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)


def yaml_host() -> Path:
    """Finds the host and the converter of YAML, or builds them.

    Returns:
        The folder to put in front of PATH.

    Raises:
        EngineError: they are missing, and there is no Go that can build them, or the build failed.
    """
    folder = BIN / "yaml"
    for name in ("pulumi-language-yaml", "pulumi-converter-yaml"):
        if shutil.which(name) is None:
            built(folder / name, GoProgram(OLDER, f"{YAML}/{name}", name, "two to five minutes", NO_GO))
    return folder


def _is_official(name: str) -> bool:
    """Whether a host is on PATH. The project's own stand-in for Python runs programs, and writes none."""
    found = shutil.which(name)
    return found is not None and not Path(found).resolve().is_relative_to(BIN)
