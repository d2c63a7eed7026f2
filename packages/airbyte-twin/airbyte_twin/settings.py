"""Settings of a twin."""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from airbyte_twin.records import DEFAULT_ID

DEFAULT_WORKSPACE_ID = "7c2e9a54-1f0b-4f7e-9a41-6f3a5d1c8b20"
"""Id of the workspace that exists at start, by default."""

DEFAULT_ORGANIZATION_ID = DEFAULT_ID
"""Organization of every workspace of a self-managed Airbyte (airbyte-platform DEFAULT_ORGANIZATION_ID)."""


class AuthMode(StrEnum):
    """How callers prove who they are."""

    NONE = "none"
    BASIC = "basic"
    CLIENT_CREDENTIALS = "client_credentials"


class Edition(StrEnum):
    """Which Airbyte the twin behaves as, where the editions differ."""

    COMMUNITY = "community"
    CLOUD = "cloud"


class TwinSettings(BaseModel):
    """Settings of one twin.

    Attributes:
        auth: Authentication of callers; `basic` is that of proxies in old installations.
        client_id: Of the one application that exists at start.
        client_secret: Of the same application.
        username: For `basic`.
        password: For `basic`.
        token_lifetime: Seconds until a bearer token ends, by the twin's clock.
        edition: `cloud` answers 403 for unknown ids, refuses sub-hourly schedules, docker definitions and resource
            allocations, masks the coordinates of its own secrets, and has OAuth; `community` answers 404 and allows the
            former.
        licensed: Whether the license has groups, regions, embedding and OAuth credentials of organizations; by default
            on Cloud only.
        missing_id_status: 403 or 404 for unknown ids, when it must differ from the edition's.
        workspace_id: Of the workspace that exists at start.
        data_dir: Folder of the saved state and of further connectors; nothing is saved without it.
        unstable_lists: Shuffle sources, destinations and connections at each list call: the server has no ORDER BY.
        echo_connector_type: Unfaithful: repeat the type inside configurations, so that the official Python SDK can
            parse destinations.
        version: Version in `/instance_configuration`.
        run_syncs: Run jobs, and check and write destinations; without it a test moves jobs.
        commands: Executables of source connectors by docker repository, e.g. `airbyte/source-faker`.
        seed: Seed of synthesized sources.
        first_records: Records of each synthesized stream at its source's first sync.
        later_records: New records before each later sync.
        checkpoint_records: Records between two checkpoints of a sync, which upload records and save the state.
        parallel_syncs: How many jobs run at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    auth: AuthMode = AuthMode.NONE
    client_id: str = "twin-client-id"
    client_secret: str = "twin-client-secret"
    username: str = "airbyte"
    password: str = "password"
    token_lifetime: int = Field(default=900, ge=1)
    edition: Edition = Edition.COMMUNITY
    licensed: bool | None = None
    missing_id_status: int | None = None
    workspace_id: str = DEFAULT_WORKSPACE_ID
    data_dir: Path | None = None
    unstable_lists: bool = False
    echo_connector_type: bool = False
    version: str = "2.1.0"
    run_syncs: bool = False
    commands: dict[str, Path] = Field(default_factory=dict)
    seed: int = 0
    first_records: int = Field(default=200, ge=1)
    later_records: int = Field(default=20, ge=1)
    checkpoint_records: int = Field(default=10_000, ge=1)
    parallel_syncs: int = Field(default=4, ge=1)

    @property
    def unknown_id_status(self) -> int:
        """404 or 403, the answer to an id that does not exist."""
        if self.missing_id_status is not None:
            return self.missing_id_status
        return 403 if self.edition is Edition.CLOUD else 404

    @property
    def entitled(self) -> bool:
        """Whether the organization has a license for them."""
        return self.edition is Edition.CLOUD if self.licensed is None else self.licensed
