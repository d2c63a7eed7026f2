"""Which build of the code location this is: Dagster shows it among the code location's resources, as `build`.

An image has it in its environment (dagster/Dockerfile); elsewhere it is computed from the files.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import dagster as dg

from lotus_infra.dagster_fingerprint import definitions_fingerprint

COMMIT = "LOTUS_COMMIT"
DEFINITIONS = "LOTUS_DEFINITIONS"
NO_COMMIT = "no image"


class Build(dg.ConfigurableResource):  # type: ignore[type-arg]  # what it is a resource of is itself
    """The build; `lotus verify` compares it with the repository's.

    Attributes:
        commit: The commit that the image was built of, in full; `no image` elsewhere.
        definitions: The fingerprint of the files that decide what is loaded.
    """

    commit: str
    definitions: str

    @classmethod
    def of(cls, project: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """The build whose files are in a folder."""
        given = environment.get(DEFINITIONS)
        return cls(commit=environment.get(COMMIT) or NO_COMMIT, definitions=given or definitions_fingerprint(project))
