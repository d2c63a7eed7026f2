"""Where the lake's data lands: three buckets, and the identities that come to the first of them.

It knows AWS and servers that speak S3 without being AWS. It knows no connector: a destination takes from the zone what
its file asks for.
"""

import json
from collections.abc import Sequence
from typing import Final, TypeAlias

import pulumi
import pulumi_aws as aws
from pydantic import BaseModel, ConfigDict, PositiveInt

from lotus_infra import naming
from lotus_infra.config.credentials import BackupPlace, Credentials, GivenIdentities
from lotus_infra.config.landing_zone import Feature, LandingZoneSettings
from lotus_infra.lake.references import LandingPart

Statement: TypeAlias = dict[str, str | list[str] | dict[str, dict[str, str]]]
WRITES: Final = (
    "s3:PutObject",
    "s3:GetObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
READS: Final = ("s3:GetObject",)
LISTS: Final = ("s3:ListBucket", "s3:GetBucketLocation")
LISTS_UPLOADS: Final = (*LISTS, "s3:ListBucketMultipartUploads")
UPLOAD_DAYS = 7
"""An upload that nobody finished in a week is forgotten, and is paid for until it is gone."""
FIRST_KEY = "1"
LANDING_VERSION_DAYS = 30
STATE_VERSION_DAYS = 90


def bucket_arn(bucket: str, region: str) -> str:
    """A bucket's ARN; China and the government's regions are partitions of their own."""
    partitions = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
    found = [name for start, name in partitions.items() if region.startswith(f"{start}-")]
    return f"arn:{found[0] if found else 'aws'}:s3:::{bucket}"


def tls_only(arn: str) -> str:
    """Nobody reaches the bucket without TLS, whatever else they may do."""
    return _document(
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def writer(arn: str, prefix: str) -> str:
    """Write, replace and delete below a prefix, and list the bucket."""
    return _document(_allow("Write", WRITES, f"{arn}/{prefix}/*"), _allow("List", LISTS_UPLOADS, arn))


def reader(arn: str, prefix: str, tables: str, logs: str) -> str:
    """Read below a prefix, write and delete below those of the tables and of the logs, and list the bucket."""
    return _document(
        _allow("Read", READS, f"{arn}/{prefix}/*"),
        _allow("Tables", WRITES, f"{arn}/{tables}/*"),
        _allow("Logs", WRITES, f"{arn}/{logs}/*"),
        _allow("List", LISTS_UPLOADS, arn),
    )


def backup(arn: str) -> str:
    """Write, restore and delete in a bucket that has nothing but backups."""
    return _document(_allow("Backups", WRITES, f"{arn}/*"), _allow("List", LISTS_UPLOADS, arn))


def _allow(name: str, actions: tuple[str, ...], resource: str) -> Statement:
    return {"Sid": name, "Effect": "Allow", "Action": list(actions), "Resource": resource}


def _document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class BucketSettings(BaseModel):
    """What a bucket is made of.

    Attributes:
        bucket: its name on the server.
        region: where it is.
        features: what the server has, and so the bucket gets.
        version_days: how long what was replaced or deleted can be brought back; None keeps no versions.
        expire_days: how long objects stay, by their prefix; empty keeps all of them for good.
        protect: whether deleting it takes an unprotect first.
        exists: whether it is there before the stack is, and stays when the stack goes.
    """

    model_config = ConfigDict(frozen=True)

    bucket: str
    region: str
    features: frozenset[Feature]
    version_days: PositiveInt | None = None
    expire_days: dict[str, PositiveInt] = {}
    protect: bool
    exists: bool = False


class Bucket(aws.s3.Bucket):
    """A bucket, named after its purpose; what keeps it safe hangs below it and has the same name."""

    def __init__(self, name: str, settings: BucketSettings, opts: pulumi.ResourceOptions) -> None:
        own = pulumi.ResourceOptions(
            protect=settings.protect,
            import_=settings.bucket if settings.exists else None,
            retain_on_delete=settings.exists or None,
        )
        # Who takes the protection away wants the bucket gone with all that is in it.
        force = True if not settings.protect and not settings.exists else None
        merged = pulumi.ResourceOptions.merge(opts, own)
        super().__init__(name, bucket=settings.bucket, force_destroy=force, opts=merged)
        self._settings = settings
        self._close()
        self._encrypt()
        self._let_expire(self._keep_versions())

    def _below(self, *before: pulumi.Resource) -> pulumi.ResourceOptions:
        """What keeps a bucket safe is protected with it: a `destroy` that is refused deletes all else on its way."""
        stays = self._settings.exists or None
        return pulumi.ResourceOptions(
            parent=self, protect=self._settings.protect, retain_on_delete=stays, depends_on=list(before)
        )

    def _close(self) -> None:
        """To the public, to access lists, and to whoever comes without TLS."""
        blocks: list[pulumi.Resource] = []
        if "public_access_block" in self._settings.features:
            block = aws.s3.BucketPublicAccessBlock(
                self._name,
                bucket=self.bucket,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
                opts=self._below(),
            )
            blocks.append(block)
        if "ownership_controls" in self._settings.features:
            rule = aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced")
            aws.s3.BucketOwnershipControls(self._name, bucket=self.bucket, rule=rule, opts=self._below(*blocks))
        if "tls_only_policy" in self._settings.features:
            arn = bucket_arn(self._settings.bucket, self._settings.region)
            # S3 refuses two changes of one bucket's access at the same time.
            aws.s3.BucketPolicy(self._name, bucket=self.bucket, policy=tls_only(arn), opts=self._below(*blocks))

    def _encrypt(self) -> None:
        if "encryption" in self._settings.features:
            default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                sse_algorithm="AES256"
            )
            rule = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=default
            )
            aws.s3.BucketServerSideEncryptionConfiguration(
                self._name, bucket=self.bucket, rules=[rule], opts=self._below()
            )

    def _keep_versions(self) -> list[pulumi.Resource]:
        if "versioning" not in self._settings.features or self._settings.version_days is None:
            return []
        enabled = aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled")
        return [
            aws.s3.BucketVersioning(
                self._name, bucket=self.bucket, versioning_configuration=enabled, opts=self._below()
            )
        ]

    def _let_expire(self, versions: list[pulumi.Resource]) -> None:
        if "lifecycle" in self._settings.features:
            aws.s3.BucketLifecycleConfiguration(
                self._name,
                bucket=self.bucket,
                rules=lifecycle(self._settings.version_days if versions else None, self._settings.expire_days),
                opts=self._below(*versions),
            )


def lifecycle(
    version_days: int | None, expire_days: dict[str, int]
) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    """The rules of what goes by itself: unfinished uploads always, old versions, and objects only where that is asked.

    Args:
        version_days: days after which a version that is no longer current goes; None where none are kept.
        expire_days: days after which objects go, by prefix.
    """
    aborted = aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=UPLOAD_DAYS
    )
    rules = [_rule("aborted-uploads", "", abort_incomplete_multipart_upload=aborted)]
    if version_days is not None:
        old = aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(noncurrent_days=version_days)
        marker = aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True)
        rules.append(_rule("old-versions", "", noncurrent_version_expiration=old, expiration=marker))
    for prefix, days in sorted(expire_days.items()):
        gone = aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days)
        rules.append(_rule(f"expired-{prefix}", f"{prefix}/", expiration=gone))
    return rules


def _rule(
    name: str,
    prefix: str,
    *,
    abort_incomplete_multipart_upload: aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs
    | None = None,
    noncurrent_version_expiration: aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs | None = None,
    expiration: aws.s3.BucketLifecycleConfigurationRuleExpirationArgs | None = None,
) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=name,
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        abort_incomplete_multipart_upload=abort_incomplete_multipart_upload,
        noncurrent_version_expiration=noncurrent_version_expiration,
        expiration=expiration,
    )


def made(
    name: str, user: str, policy: str, opts: pulumi.ResourceOptions, keys: Sequence[str] = (FIRST_KEY,)
) -> Credentials:
    """Make a user that may do what the policy says and no more, with its access keys; the last of them is used.

    A new key comes beside the old one, which works until it is no longer among the keys.

    Args:
        name: the resources' name.
        user: the user's name on AWS.
        policy: an IAM policy document.
        opts: options of all its resources.
        keys: names of keys; AWS lets a user have two.
    """
    owner = aws.iam.User(name, name=user, opts=opts)
    allowed = aws.iam.UserPolicy(name, name=name, user=owner.name, policy=policy, opts=opts)
    # Whoever gets the key finds it working: it is made once the user may do something.
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[allowed]))
    named = [name if key == FIRST_KEY else f"{name}-{key}" for key in keys]
    *_, key = [aws.iam.AccessKey(each, user=owner.name, opts=after) for each in named]
    return Credentials(pulumi.Output.secret(key.id), pulumi.Output.secret(key.secret))


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
        policy = writer(self._arn(self._settings.landing), naming.LANDING_PATH)
        return self._made("writer", naming.writer(self._settings.landing), policy)

    def _made_reader(self) -> Credentials:
        own = (naming.TABLES_PATH, naming.LOGS_PATH)
        policy = reader(self._arn(self._settings.landing), naming.LANDING_PATH, *own)
        return self._made("reader", naming.reader(self._settings.landing), policy)

    def _made_backup(self) -> Credentials:
        policy = backup(self._arn(self._settings.backup))
        return self._made("backup", naming.backup_writer(self._settings.backup), policy)

    def _arn(self, bucket: str) -> str:
        return bucket_arn(bucket, self._settings.region)

    def _made(self, name: str, user: str, policy: str) -> Credentials:
        return made(name, user, policy, self._own, self._settings.keys or (FIRST_KEY,))


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
