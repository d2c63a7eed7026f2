"""Several files are written together, or none."""

import os
from pathlib import Path

import pytest

from lotus_infra.commands.file_plan import FilePlan, settle
from lotus_infra.commands.output import write_together
from lotus_infra.errors import LotusError


def test_one_that_can_not_be_written_leaves_all_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old", encoding="utf-8")
    (tmp_path / "c.json").mkdir()
    with pytest.raises(LotusError, match="can't be written to"):
        write_together(tmp_path, {"a.json": "new", "b.json": "new", "c.json": "new"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "c.json"]


def test_a_link_and_the_rights_of_a_file_stay(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old", encoding="utf-8")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    write_together(tmp_path, {"link": "new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_an_interruption_in_the_middle_leaves_all_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text("old", encoding="utf-8")
    replace, done = os.replace, list[Path]()

    def interrupted(source: Path, target: Path) -> None:
        replace(source, target)
        done.append(target)
        if len(done) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("lotus_infra.commands.output.os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_together(tmp_path, {"a.json": "new", "new/b.json": "new", "c.json": "new"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_file_that_appears_while_the_user_thinks_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def agreed(*_: object, **__: object) -> bool:
        (tmp_path / "a.json").write_text("another command's", encoding="utf-8")
        return True

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("lotus_infra.commands.file_plan.click.confirm", agreed)
    with pytest.raises(LotusError, match=r"a\.json would be overwritten"):
        settle(FilePlan(tmp_path, {"a.json": "new"}), yes=False, as_json=False)
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "another command's"
