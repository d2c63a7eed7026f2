"""The rules of a whole lake, each a small pure function from a `Lake` to diagnostics.

The command line, the tests and the Pulumi program all run the same tuple. Rules about one file alone are in the models.
"""

from lotus_infra.lake.checks.configuration import configurations_fit, references_are_well_formed, values_are_set
from lotus_infra.lake.checks.discovered import deletions_are_selected, fields_are_offered, streams_are_offered
from lotus_infra.lake.checks.engines import (
    destinations_are_reached,
    modules_are_sources,
    resources_are_offered,
    runs_are_unique,
    secrets_are_kept,
    settings_have_effect,
)
from lotus_infra.lake.checks.layout import columns_are_distinct, files_are_readable, places_are_readable
from lotus_infra.lake.checks.mappers import mappers_keep_keys, mappers_work
from lotus_infra.lake.checks.modes import cursors_work, keys_are_used, keys_work, modes_are_written, modes_exist
from lotus_infra.lake.checks.names import (
    job_sensors_are_unique,
    labels_are_unique,
    models_are_unique,
    streams_are_unique,
)
from lotus_infra.lake.checks.places import places_are_unique, replication_slots_are_unique
from lotus_infra.lake.checks.plain import paths_are_plain
from lotus_infra.lake.checks.rule import Rule
from lotus_infra.lake.checks.sources import (
    connections_are_written_once,
    connectors_are_known,
    destinations_exist,
    schedules_run,
    sources_have_streams,
)
from lotus_infra.lake.checks.stacks import overlays_apply
from lotus_infra.lake.checks.texts import labels_are_short, texts_are_storable
from lotus_infra.lake.checks.warehouses import tables_have_columns, tables_have_one_schema, warehouses_have_names

__all__ = ["CHECKS", "FACT_CHECKS", "Rule", "values_are_set"]

CHECKS: tuple[Rule, ...] = (
    sources_have_streams,
    connections_are_written_once,
    destinations_exist,
    destinations_are_reached,
    settings_have_effect,
    secrets_are_kept,
    modules_are_sources,
    resources_are_offered,
    connectors_are_known,
    schedules_run,
    labels_are_unique,
    labels_are_short,
    texts_are_storable,
    streams_are_unique,
    models_are_unique,
    job_sensors_are_unique,
    runs_are_unique,
    places_are_unique,
    warehouses_have_names,
    tables_have_columns,
    tables_have_one_schema,
    replication_slots_are_unique,
    paths_are_plain,
    places_are_readable,
    files_are_readable,
    columns_are_distinct,
    mappers_work,
    mappers_keep_keys,
    streams_are_offered,
    fields_are_offered,
    deletions_are_selected,
    modes_exist,
    modes_are_written,
    cursors_work,
    keys_work,
    keys_are_used,
    references_are_well_formed,
    configurations_fit,
    overlays_apply,
)

DISCOVERY_CHECKS: tuple[Rule, ...] = (streams_are_offered, fields_are_offered, modes_exist, cursors_work, keys_work)
"""The rules that compare streams with their discovered streams; `lotus discover` runs these alone."""
