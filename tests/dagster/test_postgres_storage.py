"""Dagster's own storage in Postgres, as a deployed code location and its runs open it."""

from pathlib import Path

import dagster as dg

from tests.support.postgres import USER, Postgres

SETTINGS = """telemetry:
  enabled: false
storage:
  postgres:
    postgres_db: {{username: {user}, password: "", hostname: 127.0.0.1, db_name: {database}, port: {port}}}
"""


def test_runs_are_kept_in_postgres_with_the_packages_of_the_image(postgres: Postgres, tmp_path: Path) -> None:
    database = postgres.new_catalog().split()[0].removeprefix("postgres:dbname=")
    settings = SETTINGS.format(user=USER, database=database, port=postgres.port)
    (tmp_path / "dagster.yaml").write_text(settings, encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_runs_count() == 0
