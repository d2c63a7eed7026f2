"""The module that Dagster is pointed at: `dagster dev -m lotus_dagster.code_location`."""

from lotus_dagster.definitions import load

defs = load()
