"""dbt's connection to the lake. dbt-duckdb loads this module by its name."""

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from lotus_dagster import bookkeeping, databases
from lotus_dagster.environment import EnvironmentVariableError, Warehouse
from lotus_infra.clients.ducklake import attach


class Plugin(BasePlugin):
    """Prepares each new connection; the name is what dbt-duckdb looks for."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Attach the lake, which the profile names and the environment describes.

        dbt parses the whole project again whenever its profile changes; this one is the same on every machine.

        Raises:
            DbtRuntimeError: A variable that the lake needs is not set, or its catalog is out of reach; dbt reports it
                without a traceback.
        """
        try:
            attach(conn, Warehouse.read())
            bookkeeping.register(conn)
            databases.register(conn)
        except (EnvironmentVariableError, duckdb.Error) as error:
            raise DbtRuntimeError(str(error)) from error
