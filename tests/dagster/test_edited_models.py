"""A model that is edited while its table has rows."""

import shutil
from pathlib import Path

import pytest
from lotus_dagster.definitions import DBT_PROJECT
from lotus_dagster.environment import EXPIRE_RAW_DAYS

from tests.dagster.lake import Lake

MODEL = "int_faker__products"
AT = "2026-01-05T10:00:00Z"


def test_a_number_is_not_rounded_to_the_type_that_the_table_has_and_a_column_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXPIRE_RAW_DAYS, "3650")
    project = tmp_path / "dbt"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target"))
    lake = Lake(tmp_path, project)
    for number in (1, 2):
        row = {"id": number, "price": number + 0.00012345 * (number - 1), "created_at": AT, "updated_at": AT}
        lake.land("faker", "products", "2026-01-05", number, [row])
        if number == 1:
            lake.dbt("run", "--select", MODEL)
            model = project / f"models/core/faker/{MODEL}.sql"
            model.write_text(model.read_text().replace("'price', 'decimal(18, 4)'", "'price', 'double'"))
            shutil.rmtree(lake.target)
    with pytest.raises(
        AssertionError, match=r"price is DECIMAL\(18,4\) in the table int_faker__products and DOUBLE in the model"
    ):
        lake.dbt("run", "--select", MODEL)
    lake.dbt("run", "--select", MODEL, "--full-refresh")
    assert lake.query(f"select price from {MODEL} order by id") == [(1.0,), (2.00012345,)]
    model.write_text(
        model.read_text().replace("        _airbyte_raw_id,", "        1 as added,\n        _airbyte_raw_id,")
    )
    shutil.rmtree(lake.target)
    later = AT.replace("10:", "11:")
    lake.land("faker", "products", "2026-01-05", 3, [row | {"id": 2, "updated_at": later}, row | {"id": 3}])
    lake.dbt("run", "--select", MODEL)
    assert lake.query(f"select id, added from {MODEL} order by id") == [(1, None), (2, 1), (3, 1)]
    assert lake.query(f"select id, price, added from lake.older_rows.{MODEL}") == [(2, 2.00012345, None)]
