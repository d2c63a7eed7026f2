"""The variables that the company's code reads, with the values that follow from the stack.

No secret is among the plain ones. The names are those of `lotus_dagster.environment` and of AWS' and Postgres' own
libraries.
"""

from dataclasses import dataclass

from lotus_infra import naming
from lotus_infra.cluster.database import Address

ACCESS_KEY_ID = "AWS_ACCESS_KEY_ID"
SECRET_ACCESS_KEY = "AWS_SECRET_ACCESS_KEY"
CATALOG_PASSWORD = "PGPASSWORD"
SECRETS = (ACCESS_KEY_ID, SECRET_ACCESS_KEY, CATALOG_PASSWORD)
"""The keys of the Kubernetes secret that pods get their variables from."""


@dataclass(frozen=True, slots=True)
class Lake:
    """What the company's code must know of the landing zone.

    Attributes:
        bucket: The landing bucket.
        region: Where it is.
        endpoint: The server's address; empty on AWS.
    """

    bucket: str
    region: str
    endpoint: str


def variables(lake: Lake, catalog: Address) -> dict[str, str]:
    """The variables without secrets.

    The catalog's password is in a variable that Postgres' library reads by itself; whatever else it could read there
    would reach Dagster's connections to its own database too.
    """
    place = " ".join(
        f"{key}={value}"
        for key, value in {
            "dbname": catalog.database,
            "host": catalog.host,
            "port": catalog.port,
            "user": catalog.user,
        }.items()
    )
    made = {
        "LOTUS_LANDING": f"s3://{lake.bucket}",
        "LOTUS_CATALOG": f"postgres:{place}",
        "LOTUS_LAKE_DATA": f"s3://{lake.bucket}/{naming.TABLES_PATH}",
        "AWS_REGION": lake.region,
    }
    return made | ({"AWS_ENDPOINT_URL_S3": lake.endpoint} if lake.endpoint else {})
