"""Where the lake's data lands: three buckets, and the identities that come to the first of them.

It knows AWS and servers that speak S3 without being AWS. It knows no connector: a destination takes from the zone what
its file asks for.
"""

import pulumi
import pulumi_aws as aws

from lotus_infra import naming
from lotus_infra.components import identity, policies
from lotus_infra.components.bucket import Bucket, BucketSettings
from lotus_infra.components.credentials import BackupPlace, Credentials, GivenIdentities
from lotus_infra.components.zone_settings import LandingZoneSettings
from lotus_infra.streams.references import LandingPart

LANDING_VERSION_DAYS = 30
STATE_VERSION_DAYS = 90


class LandingZone(pulumi.ComponentResource):
    """The buckets and their identities (`lotus:landing:LandingZone`).

    Attributes:
        bucket: the landing bucket.
        writer: what Airbyte comes with; below the prefix `raw` it may write.
        reader: what Dagster comes with; it may read below the prefix `raw`, and keeps its tables below `lake`.
        backup: what backups of databases come with, to the backup bucket; made where some are asked for.
        backup_bucket: the backup bucket.
    """

    bucket: pulumi.Output[str]
    writer: Credentials
    reader: Credentials
    backup: Credentials | None
    backup_bucket: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: LandingZoneSettings,
        given: GivenIdentities | None,
        opts: pulumi.ResourceOptions | None = None,
        *,
        backups: bool = False,
    ) -> None:
        super().__init__("lotus:landing:LandingZone", name, None, opts)
        self._settings = settings
        self._own = pulumi.ResourceOptions(parent=self, provider=_provider(name, settings, self))
        landing = Bucket("landing", self._landing(), self._own)
        self.backup_bucket = Bucket("backup", self._settings_of(settings.backup), self._own).bucket
        if settings.state is not None:
            state = self._settings_of(settings.state, version_days=STATE_VERSION_DAYS, exists=True)
            Bucket("state", state, self._own)
        self.bucket = landing.bucket
        if given is not None:
            self.writer, self.reader, self.backup = given.writer, given.reader, given.backup
        else:
            self.writer, self.reader = self._made_writer(), self._made_reader()
            self.backup = self._made_backup() if backups else None
        self.register_outputs({"bucket": self.bucket})

    def part(self, part: LandingPart) -> pulumi.Input[str]:
        """What a connector's configuration asks of the zone."""
        parts: dict[LandingPart, pulumi.Input[str]] = {
            "bucket": self.bucket,
            "prefix": naming.LANDING_PATH,
            "region": self._settings.region,
            "endpoint": self._settings.endpoint,
            "access_key_id": self.writer.access_key_id,
            "secret_access_key": self.writer.secret_access_key,
        }
        return parts[part]

    def backups(self) -> BackupPlace | None:
        """Where backups of databases go; None where no identity is there for them."""
        if self.backup is None:
            return None
        return BackupPlace(self.backup_bucket, self._settings.region, self._settings.endpoint, self.backup)

    def exports(self) -> dict[str, pulumi.Input[str] | None]:
        """What people and other programs may want to know, without the writer's credentials."""
        return {
            "bucket": self.bucket,
            "prefix": naming.LANDING_PATH,
            "tablesPrefix": naming.TABLES_PATH,
            "region": self._settings.region,
            "endpoint": self._settings.endpoint,
            "backupBucket": self._settings.backup,
            "stateBucket": self._settings.state,
            "readerAccessKeyId": self.reader.access_key_id,
            "readerSecretAccessKey": self.reader.secret_access_key,
        }

    def _landing(self) -> BucketSettings:
        days = self._settings.expire_raw_days
        expire = {} if days is None else {naming.LANDING_PATH: days}
        return self._settings_of(self._settings.landing, version_days=LANDING_VERSION_DAYS, expire_days=expire)

    def _settings_of(
        self,
        bucket: str,
        *,
        version_days: int | None = None,
        expire_days: dict[str, int] | None = None,
        exists: bool = False,
    ) -> BucketSettings:
        return BucketSettings(
            bucket=bucket,
            region=self._settings.region,
            features=self._settings.available,
            version_days=version_days,
            expire_days=expire_days or {},
            protect=self._settings.protect,
            exists=exists,
        )

    def _made_writer(self) -> Credentials:
        policy = policies.writer(self._arn(self._settings.landing), naming.LANDING_PATH)
        return self._made("writer", naming.writer(self._settings.landing), policy)

    def _made_reader(self) -> Credentials:
        own = (naming.TABLES_PATH, naming.LOGS_PATH)
        policy = policies.reader(self._arn(self._settings.landing), naming.LANDING_PATH, *own)
        return self._made("reader", naming.reader(self._settings.landing), policy)

    def _made_backup(self) -> Credentials:
        policy = policies.backup(self._arn(self._settings.backup))
        return self._made("backup", naming.backup_writer(self._settings.backup), policy)

    def _arn(self, bucket: str) -> str:
        return policies.bucket_arn(bucket, self._settings.region)

    def _made(self, name: str, user: str, policy: str) -> Credentials:
        return identity.made(name, user, policy, self._own, self._settings.keys or (identity.FIRST_KEY,))


def _provider(name: str, settings: LandingZoneSettings, zone: pulumi.Resource) -> aws.Provider:
    """AWS, or the other server; the credentials that administer it are those of the environment, as for the state."""
    own = pulumi.ResourceOptions(parent=zone)
    if settings.server == "aws":
        return aws.Provider(name, region=settings.region, opts=own)
    return aws.Provider(
        name,
        region=settings.region,
        endpoints=[aws.ProviderEndpointArgs(s3=settings.endpoint)],
        s3_use_path_style=True,
        skip_credentials_validation=True,
        skip_metadata_api_check=True,
        skip_region_validation=True,
        skip_requesting_account_id=True,
        opts=own,
    )
