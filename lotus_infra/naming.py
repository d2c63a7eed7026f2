"""The only maker of names: of resources, labels, S3 prefixes and Kubernetes objects, and of streams in dbt and Dagster.

Dashboards and people use these names: a change here moves data, replaces resources or breaks a bookmark. The functions
take names of folders and files (`source`, `stream`, `destination`), and of a source's connections; the name that a
stream has in its source decides only where its files are.
"""

import re
import unicodedata
from collections.abc import Sequence
from hashlib import sha256

from airbyte_model.places import folder_of, written_name

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.=+@ /-]*")
LOSS_LABEL = "accepts-data-loss"
"""The label of a pull request whose data losses a person has accepted."""

# Buckets.
LANDING_ZONE = "landing-zone"
LANDING_PATH = "raw"
TABLES_PATH = "lake"
INGESTION_PATH = "dlt"
"""The path of the state that dlt keeps for each stream in the landing bucket."""
LOGS_PATH = "logs"
"""The path of the runs' output in the landing bucket."""
PATH_FORMAT = "${NAMESPACE}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/"
"""The path format of a destination-s3 below its path in the bucket, in Airbyte's variables."""
LANDED_FILE = re.compile(r"year=([0-9]{4})/month=([0-9]{2})/day=([0-9]{2})/[^/]+\.parquet", re.DOTALL)
"""The key of a stream's file below the stream's prefix, with its year, month and day; readers ignore all other keys."""
MOST_DAYS_AHEAD = 2
"""A partition that is dated more days after today (in UTC) is far from now: its date is wrong, so it does not show when
its files arrived. Clocks and time zones explain fewer days."""

# dbt and Dagster.
MAIN_SCHEMA = "main"
MODEL_PREFIX = "int_"
QUARANTINE_CHECK = "quarantine"
"""Dagster's asset check on a stream's model that fails while files of the stream are in quarantine."""

# Kubernetes.
DAGSTER = "dagster"
"""The Helm release. As it contains the chart's name, the chart uses it alone as the prefix of Kubernetes objects."""
DAGSTER_NAMESPACE = "lotus-lake"
DAGSTER_DATABASE = "dagster-db"
CATALOG_DATABASE = "ducklake-db"
CODE_LOCATION = "lotus-lake"
CODE_LOCATION_MODULE = "lotus_dagster.code_location"
CODE_LOCATION_PORT = 3030
LAKE_SECRET = "dagster-lake"
REGISTRY_SECRET = "dagster-registry"
ANNOTATIONS = "lotus.internal"
"""The prefix of annotations. Kubernetes requires a domain; ICANN reserves `.internal` for private use (2024)."""
CREDENTIALS_ANNOTATION = f"{ANNOTATIONS}/credentials"
COMMIT_ANNOTATION = f"{ANNOTATIONS}/commit"
DEFINITIONS_ANNOTATION = f"{ANNOTATIONS}/definitions"


FIELD_MANAGERS = "lotus/"
"""The names of the field managers of all stacks begin with it."""


def field_manager(project: str, stack: str) -> str:
    """The name under which a stack owns the fields of Kubernetes objects: `lotus/lotus-lake/prod`."""
    name = f"{FIELD_MANAGERS}{project}/{stack}"
    # Kubernetes refuses a name that is longer.
    return name if len(name) <= 128 else f"{FIELD_MANAGERS}{sha256(name.encode()).hexdigest()}"


# The lake: its files, its resources in Pulumi, and its values in a stack.


def is_identifier(name: str) -> bool:
    """Whether a name is valid as an S3 prefix, a Python name and a dbt name: `[a-z][a-z0-9_]*`."""
    return IDENTIFIER.fullmatch(name) is not None


def is_plain_path(path: str) -> bool:
    """Whether a path means nothing else in YAML, Jinja, SQL, a pattern of file names, or a shell's quotes."""
    return _PLAIN_PATH.fullmatch(path) is not None


def identifier(text: str, default: str) -> str:
    """The nearest identifier to a text: `Google Ads (EU)` becomes `google_ads_eu`.

    Args:
        text: A label.
        default: The name if the text has no letter or digit; the prefix if it starts with a digit.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return name if is_identifier(name) else "_".join(filter(None, (default, name)))


def source_resource(source: str) -> str:
    """The Pulumi name of a source: its folder, so that a new label is an update and never a replacement."""
    return source


def destination_resource(destination: str) -> str:
    """The Pulumi name of a destination: its file."""
    return destination


def definition_resource(connector: str) -> str:
    """The Pulumi name of the definition of a connector of one's own: its file."""
    return connector


def tag_resource(tag: str) -> str:
    """The Pulumi name of a tag of connections."""
    return tag


def connection_resource(source: str, connection: str) -> str:
    """The Pulumi name of a connection: the source's folder if it has the same name, else both: `shopify/daily`.

    A source whose file has no `connections` has one with its own name. No folder has a slash in its name.
    """
    return source if connection == source else f"{source}/{connection}"


def stream_file(name: str, namespace: str = "") -> str:
    """The default name of a stream's file, without the suffix: `Account` becomes `account`.

    Args:
        name: The stream's name in the source.
        namespace: The stream's namespace, to tell it from another one with the same name.
    """
    text = f"{namespace}_{name}" if namespace else name
    return text if is_identifier(text) else identifier(text, "stream")


def label(name: str) -> str:
    """The display name if a file has none: `google_ads` becomes `Google Ads`."""
    return name.replace("_", " ").title()


def connection_label(source_label: str, destination_label: str, connection: str = "") -> str:
    """The display name of a connection if its file has none: `Shopify → S3`, `Shopify Daily → S3`.

    Args:
        source_label: The source's.
        destination_label: The destination's.
        connection: The name of the connection, unless it is the source's own.
    """
    return " ".join(filter(None, (source_label, label(connection), "→", destination_label)))


def acknowledged_stream(source: str, stream: str) -> str:
    """A stream in a stack's list of acknowledged losses: `stream shopify/orders`."""
    return f"stream {source}/{stream}"


def acknowledged_connection(resource: str) -> str:
    """A connection in a stack's list of acknowledged losses: `connection shopify`, `connection shopify/daily`."""
    return f"connection {resource}"


def acknowledged_object(kind: str, name: str) -> str:
    """Another object in a stack's list of acknowledged losses, by the end of its type: `Cluster dagster-db`."""
    return f"{kind} {name}"


def source_of_connection(resource: str) -> str:
    """The source of a connection, by its Pulumi name: `shopify` of `shopify` and of `shopify/daily`."""
    return resource.partition("/")[0]


def secret(owner: str, path: Sequence[str | int]) -> str:
    """The stack's name of a secret of a source or a destination: `shopify_api_password`.

    Args:
        owner: The source's folder or the destination's file.
        path: The property path in the configuration, or as much of its end as is unique.
    """
    return "_".join([owner, *(identifier(str(step), "item") for step in path)])


# Buckets.


def namespace(source: str) -> str:
    """The namespace that a source's streams are written to if its file has none: its folder."""
    return source


def s3_prefix(namespace: str, stream: str, *, prefix: str = "", path: str = LANDING_PATH) -> str:
    """The prefix of a stream's files in the bucket: `raw/shopify/orders/`; year, month and day follow below it.

    Args:
        namespace: The stream's namespace at the destination.
        stream: The stream's name in the source.
        prefix: The connection's prefix of all stream names.
        path: The destination's path in the bucket; empty for the bucket itself.
    """
    return folder_of(path, namespace, written_name(prefix, stream))


def writer(bucket: str) -> str:
    """The IAM user that writes a bucket; it contains the bucket's name, as an account may have several lakes."""
    return f"{bucket}-writer"


def reader(bucket: str) -> str:
    """The IAM user of Dagster, which reads the landing bucket."""
    return f"{bucket}-reader"


# A stream in Dagster and dbt.


def sensor(source: str, stream: str) -> str:
    """Dagster's sensor of a stream's new files: `shopify_orders_sensor`."""
    return f"{source}_{stream}_sensor"


def dbt_assets(source: str, stream: str) -> str:
    """Dagster's group of dbt assets of a stream: `shopify_orders_dbt`."""
    return f"{source}_{stream}_dbt"


def asset_key(source: str, stream: str) -> tuple[str, str]:
    """Dagster's asset key of a stream's model: `("main", "int_shopify__orders")`."""
    return MAIN_SCHEMA, dbt_model(source, stream)


def dbt_tag(source: str, stream: str) -> str:
    """The dbt tag that selects a stream's models: `shopify__orders`."""
    return f"{source}__{stream}"


def dbt_model(source: str, stream: str) -> str:
    """The dbt model with a stream's latest rows: `int_shopify__orders`."""
    return f"{MODEL_PREFIX}{dbt_tag(source, stream)}"


def dbt_models_folder(source: str) -> str:
    """The folder of a source's models in the dbt project, whose configuration depends on this path."""
    return f"models/core/{source}"


def dbt_model_file(source: str, stream: str) -> str:
    """The file of a stream's model in the dbt project: `models/core/shopify/int_shopify__orders.sql`."""
    return f"{dbt_models_folder(source)}/{dbt_model(source, stream)}.sql"


def dbt_sources_file(source: str) -> str:
    """The file that declares a source to dbt: `_shopify__sources.yml`."""
    return f"_{source}__sources.yml"


def dbt_models_file(source: str) -> str:
    """The file that describes and tests a source's models: `_shopify__models.yml`."""
    return f"_{source}__models.yml"


# Sources that dlt reads.

LANDED_ROWS = "dagster/partition_row_count"
"""Dagster's metadata with the number of rows that a run of dlt has landed for a stream."""

SOURCE_MODULES = "dagster/sources"
"""The folder of their modules in the repository; each has a function of the module's name, a source of dlt."""


def source_module_file(module: str) -> str:
    """The file of a source's module: `dagster/sources/erp.py`."""
    return f"{SOURCE_MODULES}/{module}.py"


def dlt_asset(source: str, stream: str) -> str:
    """Dagster's operation that lands a stream with dlt, and its pool: `erp_orders_dlt`."""
    return f"{source}_{stream}_dlt"


def dlt_job(source: str) -> str:
    """Dagster's job that lands all streams of a source with dlt: `erp_dlt`."""
    return f"{source}_dlt"


def dlt_schedule(source: str) -> str:
    """Dagster's schedule of that job: `erp_dlt_schedule`."""
    return f"{source}_dlt_schedule"


def dlt_pipeline(source: str, stream: str) -> str:
    """Dlt's pipeline of a stream: `erp__orders`. Each has its own, so that no two share a state."""
    return f"{source}__{stream}"


def dlt_state(source: str, stream: str) -> str:
    """The key of a pipeline's state in the landing bucket: `dlt/erp/orders.tar`."""
    return f"{INGESTION_PATH}/{source}/{stream}.tar"


WRITER_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""The environment variables of a dlt run with the writer's access key, in place of the reader's."""


def source_variable(source: str) -> str:
    """The environment variable of a dlt run with the source's configuration, as JSON: `LOTUS_SOURCE_ERP`."""
    return f"LOTUS_SOURCE_{source.upper()}"


def source_secret(source: str) -> str:
    """The Kubernetes secret with the variables of a source's dlt runs: `source-erp-dlt`."""
    return f"source-{source.replace('_', '-')}-dlt"


# Streams that land in warehouses.

WAREHOUSES_SECRET = "dagster-warehouses"
"""The Kubernetes secret with the addresses of warehouses, of Airbyte and of its connections, for Dagster."""
AIRBYTE_VARIABLE = "LOTUS_AIRBYTE"
"""The variable with Airbyte's address and credentials, as JSON."""
CONNECTIONS_VARIABLE = "LOTUS_CONNECTIONS"
"""The variable with the ids of connections by their Pulumi names, as JSON."""


def warehouse_variable(destination: str) -> str:
    """The environment variable with the address of a Postgres destination: `LOTUS_WAREHOUSE_CRM_DB`.

    It is a connection string of libpq, with the password.
    """
    return f"LOTUS_WAREHOUSE_{destination.upper()}"


def jobs_sensor(connection: str) -> str:
    """Dagster's sensor of a connection's jobs, by its Pulumi name: `crm_jobs_sensor`, `shop__daily_jobs_sensor`."""
    return f"{connection.replace('/', '__')}_jobs_sensor"


# Dagster's databases.


def database_cluster(database: str, generation: int) -> str:
    """The CloudNativePG cluster of a database: `dagster-db`, then `dagster-db-2` and so on.

    Its Kubernetes services and volumes have this name, and so has its archive below the database's backups.
    """
    return database if generation == 1 else f"{database}-{generation}"


def credentials_secret(cluster: str) -> str:
    """The Kubernetes secret with the user and password of a database's cluster."""
    return f"{cluster}-credentials"


def password(database: str) -> str:
    """The stack's name of a database's password: `dagster_db_password`."""
    return f"{database.replace('-', '_')}_password"


def backup_secret(database: str) -> str:
    """The Kubernetes secret with the access key for a database's backups."""
    return f"{database}-backup"


def scheduled_backup(cluster: str) -> str:
    """The schedule of the base backups of a database's cluster."""
    return f"{cluster}-backup"


def backup_prefix(namespace: str, database: str) -> str:
    """The prefix of a database's backups in the backup bucket: `lotus-lake/dagster-db`; each generation is below it."""
    return f"{namespace}/{database}"
