"""Install programs whose requirements conflict with the lake's, each into an environment of its own.

Run as `python -m toolchain.connectors [FOLDER]`, with the standard library alone. A program is a requirements file in a
folder, locked with hashes; `uv` installs it. The folder is `toolchain/connectors` by default: real Airbyte connectors.
Nothing here depends on what they are used for.

Exit codes: 0, 1 with one message, 130 on Ctrl-C.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from toolchain.engine import EngineError, _locked, _say

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "connectors"
LOCAL_UV = HERE.parent / ".tools" / "bin" / "uv"
OLDEST, TOO_NEW = (3, 11), (3, 13)
"""The Pythons that programs run on, unless they were locked for a later one: from the first, before the second."""


def connector(name: str) -> Path:
    """Finds a connector's executable, or installs it.

    Args:
        name: Of the executable and of its requirements file, `source-faker`.

    Raises:
        EngineError: there is no such connector, no uv, no Python that it runs on, or it could not be installed.
    """
    requirements = REQUIREMENTS / f"{name}.txt"
    if not requirements.exists():
        known = ", ".join(file.stem for file in sorted(REQUIREMENTS.glob("*.txt")))
        raise EngineError(f"There is no connector {name!r} in {REQUIREMENTS}: known are {known}.")
    return environment(requirements) / "bin" / name


def is_installed(name: str) -> bool:
    """Whether a connector is there, so that `connector` installs nothing."""
    requirements = REQUIREMENTS / f"{name}.txt"
    folder = requirements.parent / ".venvs" / name
    stamp = folder / ".stamp"
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _stamp(requirements, folder)


def environment(requirements: Path) -> Path:
    """Finds the environment of a requirements file, or makes it, in the folder `.venvs` beside the file.

    Args:
        requirements: Locked with hashes, for the Python that uv's own comment names, or a later one.

    Returns:
        The environment's folder, which has `bin`.

    Raises:
        EngineError: there is no uv, no Python that fits, or a requirement could not be installed.
    """
    environments = requirements.parent / ".venvs"
    folder = environments / requirements.stem
    with _locked(environments, f"installing {requirements.parent.name}"):
        stamp = folder / ".stamp"
        wanted = _stamp(requirements, folder)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            _install(requirements, folder)
            stamp.write_text(wanted, encoding="utf-8")
    return folder


def _stamp(requirements: Path, folder: Path) -> str:
    # An environment holds its own path: one that was moved is made again.
    return hashlib.sha256(requirements.read_bytes() + str(folder).encode()).hexdigest()


def _install(requirements: Path, folder: Path) -> None:
    name = requirements.stem
    uv = shutil.which("uv") or (str(LOCAL_UV) if LOCAL_UV.exists() else None)
    if uv is None:
        raise EngineError(
            f"{name} needs uv to be installed, and there is none: run `make setup` first, or see "
            "https://docs.astral.sh/uv/"
        )
    _say(f"Installing {name} into an environment of its own.")
    # Without its stamp, the next run makes a half-made environment again.
    (folder / ".stamp").unlink(missing_ok=True)
    wanted = _python(sys.version_info[:2], _oldest(requirements))
    _run([uv, "venv", "--quiet", "--clear", "--python", wanted, str(folder)], name)
    python = str(folder / "bin" / "python")
    _run([uv, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", str(requirements)], name)


def _oldest(requirements: Path) -> tuple[int, int]:
    """The Python that the file was locked for: in the command that uv writes at its top."""
    found = re.search(r"--python-version (\d+)\.(\d+)", requirements.read_text(encoding="utf-8"))
    return (int(found[1]), int(found[2])) if found else OLDEST


def _python(running: tuple[int, ...], oldest: tuple[int, int] = OLDEST) -> str:
    """The running Python or one of pyenv's, if the program runs on it; else the range, in which uv finds one."""
    too_new = max(TOO_NEW, (oldest[0], oldest[1] + 1))
    if oldest <= running[:2] < too_new:
        return sys.executable
    # uv looks on PATH only, where pyenv has nothing but the versions that are switched on.
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for minor in range(oldest[1], too_new[1]):
        if found := sorted(root.glob(f"versions/{oldest[0]}.{minor}.*/bin/python")):
            return str(found[-1])
    return f">={oldest[0]}.{oldest[1]},<{too_new[0]}.{too_new[1]}"


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        raise KeyboardInterrupt
    if done.returncode != 0:
        raise EngineError(
            f"{name} could not be installed. It needs the package registry, and a Python that it runs on (3.11 or 3.12 "
            "for most); uv's output:\n" + done.stderr.strip()
        )


def main() -> int:
    """Installs every program of the folder, prints where each is, and returns the exit code."""
    try:
        for requirements in sorted((Path(sys.argv[1]) if sys.argv[1:] else REQUIREMENTS).glob("*.txt")):
            _say(f"{requirements.stem} is in {environment(requirements.resolve())}.")
    except EngineError as error:
        _say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _say("Interrupted: the next run starts over.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
