"""Several files are written together, or none."""

from pathlib import Path

import pytest

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
