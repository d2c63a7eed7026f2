"""The only maker of names: resources, labels, namespaces, S3 prefixes, and what dbt and Dagster call a stream.

Dashboards and people know these names, so a change here moves data or breaks a bookmark. The module knows folder and
file names (`source`, `stream`, `destination`) and nothing of what is in the files.
"""

import re
import unicodedata
from collections.abc import Sequence

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
LANDING_PATH = "raw"
TABLES_PATH = "lake"
LANDING_ZONE = "landing-zone"
MAIN_SCHEMA = "main"
MODEL_PREFIX = "int_"

LOSS_LABEL = "accepts-data-loss"
"""The label of a pull request whose losses somebody has looked at."""


def is_identifier(name: str) -> bool:
    """Whether a name can be an S3 prefix, a Python name and a dbt name at once: `[a-z][a-z0-9_]*`."""
    return IDENTIFIER.fullmatch(name) is not None


def source_resource(source: str) -> str:
    """The Pulumi name of a source: its folder, so that a new label is an update and never a replacement."""
    return source


def destination_resource(destination: str) -> str:
    """The Pulumi name of a destination: its file."""
    return destination


def connection_resource(source: str) -> str:
    """The Pulumi name of a source's one connection: its folder."""
    return source


def label(name: str) -> str:
    """The label that people see when a file gives none: `google_ads` becomes `Google Ads`."""
    return name.replace("_", " ").title()


def acknowledged_stream(source: str, stream: str) -> str:
    """A stream as a stack acknowledges what it loses: `stream shopify/orders`."""
    return f"stream {source}/{stream}"


def identifier(text: str, otherwise: str) -> str:
    """The identifier nearest to a text: `Google Ads (EU)` becomes `google_ads_eu`.

    Args:
        text: What people call something.
        otherwise: The name where no letter or digit of the text is left; stands before one that starts with a digit.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return name if is_identifier(name) else "_".join(filter(None, (otherwise, name)))


def secret(owner: str, path: Sequence[str | int]) -> str:
    """The stack's name of a secret of a source or a destination: `shopify_api_password`.

    Args:
        owner: The source's folder or the destination's file.
        path: Where in the configuration, or the end of it that tells one from the others.
    """
    return "_".join([owner, *(identifier(str(step), "item") for step in path)])


def connection_label(source_label: str, destination_label: str) -> str:
    """The label of a connection: `Shopify → S3`."""
    return f"{source_label} → {destination_label}"


def namespace(source: str) -> str:
    """The namespace that a source's streams are written under when its file gives none: its folder."""
    return source


def s3_prefix(namespace: str, stream: str, *, prefix: str = "", path: str = LANDING_PATH) -> str:
    """Where a stream's files land in the bucket: `raw/shopify/orders/`; below it come year, month and day.

    Args:
        namespace: The source's namespace.
        stream: The stream as the source calls it.
        prefix: What the connection puts before each stream's name.
        path: The path inside the bucket that the destination writes to.
    """
    return f"{path}/{namespace}/{prefix}{stream}/"


def writer(bucket: str) -> str:
    """The identity that Airbyte writes a bucket with; of all identities of an account it has the name once."""
    return f"{bucket}-writer"


def reader(bucket: str) -> str:
    """The identity that Dagster reads a bucket with."""
    return f"{bucket}-reader"


def sensor(source: str, stream: str) -> str:
    """Dagster's sensor of a stream's new files: `shopify_orders_sensor`."""
    return f"{source}_{stream}_sensor"


def dbt_assets(source: str, stream: str) -> str:
    """Dagster's group of dbt assets of a stream: `shopify_orders_dbt`."""
    return f"{source}_{stream}_dbt"


def dbt_tag(source: str, stream: str) -> str:
    """The dbt tag that selects a stream's models: `shopify__orders`."""
    return f"{source}__{stream}"


def dbt_model(source: str, stream: str) -> str:
    """The dbt model that holds a stream's latest rows: `int_shopify__orders`."""
    return f"{MODEL_PREFIX}{dbt_tag(source, stream)}"


def dbt_model_file(source: str, stream: str) -> str:
    """Where a stream's model is in the dbt project: `models/core/shopify/int_shopify__orders.sql`."""
    return f"{dbt_models_folder(source)}/{dbt_model(source, stream)}.sql"


def dbt_models_folder(source: str) -> str:
    """The folder of a source's models in the dbt project; by it dbt knows that they read what has arrived."""
    return f"models/core/{source}"


def asset_key(source: str, stream: str) -> tuple[str, str]:
    """Dagster's asset key of a stream's model: `("main", "int_shopify__orders")`."""
    return MAIN_SCHEMA, dbt_model(source, stream)


def dbt_sources_file(source: str) -> str:
    """The file that declares a source to dbt: `_shopify__sources.yml`."""
    return f"_{source}__sources.yml"


def dbt_models_file(source: str) -> str:
    """The file that describes and tests a source's models: `_shopify__models.yml`."""
    return f"_{source}__models.yml"


DAGSTER = "dagster"
"""The Helm release; with a name that holds the chart's, Kubernetes' objects are called by it alone."""
DAGSTER_NAMESPACE = "lotus-lake"
DAGSTER_DATABASE = "dagster-db"
CATALOG_DATABASE = "ducklake-db"
CODE_LOCATION = "lotus-lake"
CODE_LOCATION_MODULE = "lotus_dagster.code_location"
CODE_LOCATION_PORT = 3030
LAKE_SECRET = "dagster-lake"
LOGS_PATH = "logs"
"""Where in the landing bucket the output of runs is kept."""
ANNOTATIONS = "lotus.internal"
"""The prefix of annotations; Kubernetes wants a domain, and this one is nobody's for good (ICANN, 2024)."""
CREDENTIALS_ANNOTATION = f"{ANNOTATIONS}/credentials"
COMMIT_ANNOTATION = f"{ANNOTATIONS}/commit"
DEFINITIONS_ANNOTATION = f"{ANNOTATIONS}/definitions"


def credentials_secret(database: str) -> str:
    """The Kubernetes secret with a database's user and password."""
    return f"{database}-credentials"


def password(database: str) -> str:
    """The stack's name of a database's password: `dagster_db_password`."""
    return f"{database.replace('-', '_')}_password"


def backup_secret(database: str) -> str:
    """The Kubernetes secret with the access key that a database's backups are written with."""
    return f"{database}-backup"


def backup_prefix(namespace: str, database: str) -> str:
    """Where in the backup bucket a database's backups are: `lotus-lake/dagster-db`."""
    return f"{namespace}/{database}"


def backup_writer(bucket: str) -> str:
    """The identity that databases write their backups with."""
    return f"{bucket}-writer"
