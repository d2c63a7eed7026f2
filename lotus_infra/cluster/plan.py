"""Everything about a stack's Dagster that can be known before the first resource is declared."""

from lotus_infra import naming
from lotus_infra.cluster.database import address
from lotus_infra.cluster.environment import Lake
from lotus_infra.cluster.kinds import Values
from lotus_infra.cluster.read import release_values
from lotus_infra.cluster.settings import DagsterSettings
from lotus_infra.cluster.values import Surroundings


def planned(settings: DagsterSettings, lake: Lake, definitions: str = "") -> Values:
    """The values of the release.

    Args:
        settings: What the stack says.
        lake: What the company's code must know of the landing zone.
        definitions: The fingerprint of what the company's code loads.

    Raises:
        LotusError: The chart does not take what the stack's `extraValues` have.
    """
    namespace = settings.namespace.name
    around = Surroundings(
        lake=lake,
        database=address(settings.database, naming.DAGSTER_DATABASE, namespace),
        catalog=address(settings.catalog, naming.CATALOG_DATABASE, namespace),
        definitions=definitions,
    )
    return release_values(settings, around)
