"""`toolchain/s3_server.py`: where the S3 server comes from."""

import os
from pathlib import Path

import pytest

from toolchain import engine, s3_server

BUILDS = """#!/bin/sh
if [ "$1" = env ]; then echo go1.26.8; exit; fi
for argument; do
  if [ "$last" = -o ]; then out=$argument; fi
  last=$argument
done
echo build >> "$LOG"
echo x > "$out"
"""
FAILS = '#!/bin/sh\nif [ "$1" = env ]; then echo go1.26.8; exit; fi\necho "no: such module" >&2\nexit 1\n'


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder of PATH that has tools; what is built goes beside it."""
    folder = tmp_path / "path"
    folder.mkdir()
    for module in (engine, s3_server):
        monkeypatch.setattr(module, "BIN", tmp_path / "bin")
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), "/bin", "/usr/bin"]))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return folder


def tool(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.write_text(script, encoding="utf-8")
    file.chmod(0o755)
    return file


def test_a_server_on_path_is_taken_as_it_is(path: Path) -> None:
    server = tool(path, "versitygw", "#!/bin/sh\n")

    assert s3_server.s3_server() == server


def test_without_one_it_is_built_once(path: Path, tmp_path: Path) -> None:
    tool(path, "go", BUILDS)

    assert s3_server.s3_server() == s3_server.s3_server() == tmp_path / "bin" / "versitygw"
    assert (tmp_path / "log").read_text(encoding="utf-8") == "build\n"


def test_a_build_of_other_modules_is_done_anew(path: Path, tmp_path: Path) -> None:
    tool(path, "go", BUILDS)
    s3_server.s3_server()
    (tmp_path / "bin" / ".versitygw.stamp").write_text("another", encoding="utf-8")

    s3_server.s3_server()

    assert (tmp_path / "log").read_text(encoding="utf-8") == "build\nbuild\n"


def test_a_build_that_fails_is_one_error_with_what_go_said_and_leaves_nothing(path: Path, tmp_path: Path) -> None:
    tool(path, "go", FAILS)

    with pytest.raises(engine.EngineError, match=r"S3 server could not be built[\s\S]+no: such module"):
        s3_server.s3_server()

    assert [file.name for file in (tmp_path / "bin").iterdir()] == [".lock"]


def test_a_machine_without_go_is_told_what_to_install_for_the_server(path: Path) -> None:
    tool(path, "go", "#!/bin/sh\nexit 1\n")

    with pytest.raises(engine.EngineError, match=r"versitygw"):
        s3_server.s3_server()
