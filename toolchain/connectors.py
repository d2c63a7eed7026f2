"""Install real Airbyte connectors, each into an environment of its own, and return their executables.

Run as `python -m toolchain.connectors`, with the standard library alone. A connector is a requirements file in
`toolchain/connectors`, locked with hashes; `uv` installs it. Nothing here depends on what a connector is used for.

Exit codes: 0, 1 with one message, 130 on Ctrl-C.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from toolchain.engine import EngineError, _locked, _say

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "connectors"
ENVIRONMENTS = REQUIREMENTS / ".venvs"
LOCAL_UV = HERE.parent / ".tools" / "bin" / "uv"
OLDEST, TOO_NEW = (3, 11), (3, 13)
"""The Pythons that the locked connectors run on: from the first, before the second."""


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
    folder = ENVIRONMENTS / name
    with _locked(ENVIRONMENTS, "installing connectors"):
        stamp = folder / ".stamp"
        wanted = _stamp(requirements, folder)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            _install(name, requirements, folder)
            stamp.write_text(wanted, encoding="utf-8")
    return folder / "bin" / name


def _stamp(requirements: Path, folder: Path) -> str:
    # An environment holds its own path: one that was moved is made again.
    return hashlib.sha256(requirements.read_bytes() + str(folder).encode()).hexdigest()


def _install(name: str, requirements: Path, folder: Path) -> None:
    uv = shutil.which("uv") or (str(LOCAL_UV) if LOCAL_UV.exists() else None)
    if uv is None:
        raise EngineError(
            f"{name} needs uv to be installed, and there is none: run `make setup` first, or see "
            "https://docs.astral.sh/uv/"
        )
    _say(f"Installing {name} into an environment of its own.")
    # Without its stamp, the next run makes a half-made environment again.
    (folder / ".stamp").unlink(missing_ok=True)
    _run([uv, "venv", "--quiet", "--clear", "--python", _python(sys.version_info[:2]), str(folder)], name)
    python = str(folder / "bin" / "python")
    _run([uv, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", str(requirements)], name)


def _python(running: tuple[int, ...]) -> str:
    """The running Python if the connectors run on it; else the range, in which uv finds or fetches one."""
    if OLDEST <= running[:2] < TOO_NEW:
        return sys.executable
    return f">={OLDEST[0]}.{OLDEST[1]},<{TOO_NEW[0]}.{TOO_NEW[1]}"


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        raise KeyboardInterrupt
    if done.returncode != 0:
        raise EngineError(
            f"{name} could not be installed. It needs the package registry, and Python 3.11 or 3.12; uv's output:\n"
            + done.stderr.strip()
        )


def main() -> int:
    """Installs every connector, prints where each is, and returns the exit code."""
    try:
        for requirements in sorted(REQUIREMENTS.glob("*.txt")):
            _say(f"{requirements.stem} is {connector(requirements.stem)}.")
    except EngineError as error:
        _say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        _say("Interrupted: the next run starts over.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
