"""The table writer of destination-postgres (3.0, "direct load").

Importing it loads the libraries of `airbyte_twin.landing`: import it only where something is written. The driver,
psycopg2, is loaded once a server is connected to.
"""

from airbyte_twin.tables.writer import Tables, TableWriter

__all__ = ["TableWriter", "Tables"]
