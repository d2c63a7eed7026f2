"""The landing zone: the buckets for landed data, backups and state, and IAM users for the first two.

Supports AWS and S3-compatible servers; a bucket gets only settings that its server supports. Has no connector: a
destination's configuration refers to parts of the zone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import pulumi
import pulumi_aws as aws

from lotus_infra import naming
from lotus_infra.config.credentials import BackupBucket, Credentials, GivenIdentities
from lotus_infra.config.landing_zone import Feature, LandingZoneSettings
from lotus_infra.lake.references import LandingPart

LANDING_VERSION_DAYS: Final = 30
STATE_VERSION_DAYS: Final = 90
UPLOAD_DAYS: Final = 7
"""Days after which an unfinished upload is aborted: S3 bills its parts until then, and no listing shows them."""
FIRST_KEY: Final = "1"
"""The name of the key that a user gets if the stack names none; its resource has the user's name alone."""
# What Airbyte's S3 destination needs by its docs, without ACLs: the buckets refuse those.
_WRITE: Final = (
    "s3:PutObject",
    "s3:GetObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
_READ: Final = ("s3:GetObject",)
_LIST: Final = ("s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads")

Statement: TypeAlias = dict[str, str | list[str] | dict[str, dict[str, str]]]


@dataclass(frozen=True)
class Uses:
    """What the zone is used for beside landing and reading.

    Attributes:
        backups: whether databases are backed up there.
        ingestion: whether dlt keeps its state there.
    """

    backups: bool = False
    ingestion: bool = False


class LandingZone(pulumi.ComponentResource):
    """The buckets and their users (`lotus:landing:LandingZone`).

    Attributes:
        bucket: the landing bucket.
        writer: the key of Airbyte and of dlt's runs; it may write below the prefix `raw`, and dlt's state.
        reader: Dagster's key; it may read below `raw`, and write its tables and logs.
        backup: the key of the databases' backups, for the backup bucket; None without backups.
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
        uses: Uses = Uses(),
    ) -> None:
        super().__init__("lotus:landing:LandingZone", name, None, opts)
        self._settings = settings
        self._written = (naming.LANDING_PATH, naming.INGESTION_PATH) if uses.ingestion else (naming.LANDING_PATH,)
        self._options = pulumi.ResourceOptions(parent=self, provider=_provider(name, settings, self))
        expire_days = {} if settings.expire_raw_days is None else {naming.LANDING_PATH: settings.expire_raw_days}
        landing = self._bucket("landing", settings.landing, version_days=LANDING_VERSION_DAYS, expire_days=expire_days)
        self.bucket = landing.bucket
        self.backup_bucket = self._bucket("backup", settings.backup).bucket
        if settings.state is not None:
            self._bucket("state", settings.state, version_days=STATE_VERSION_DAYS, exists=True)
        if given is not None:
            self.writer, self.reader, self.backup = given.writer, given.reader, given.backup
        else:
            self.writer, self.reader = self._create_writer(), self._create_reader()
            self.backup = self._create_backup_writer() if uses.backups else None
        self.register_outputs({"bucket": self.bucket})

    def part(self, part: LandingPart) -> pulumi.Input[str]:
        """The value of a reference to the zone in a connector's configuration."""
        parts: dict[LandingPart, pulumi.Input[str]] = {
            "bucket": self.bucket,
            "prefix": naming.LANDING_PATH,
            "region": self._settings.region,
            "endpoint": self._settings.endpoint,
            "access_key_id": self.writer.access_key_id,
            "secret_access_key": self.writer.secret_access_key,
        }
        return parts[part]

    def backups(self) -> BackupBucket | None:
        """The bucket of the databases' backups, with its key; None without a key."""
        if self.backup is None:
            return None
        return BackupBucket(self.backup_bucket, self._settings.region, self._settings.endpoint, self.backup)

    def exports(self) -> dict[str, pulumi.Input[str] | None]:
        """The stack's outputs about the zone. Airbyte and dlt alone need the writer's key."""
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

    def _bucket(
        self,
        name: str,
        bucket: str,
        *,
        version_days: int | None = None,
        expire_days: Mapping[str, int] | None = None,
        exists: bool = False,
    ) -> "Bucket":
        args = BucketArgs(
            bucket=bucket,
            region=self._settings.region,
            features=self._settings.available,
            version_days=version_days,
            expire_days=expire_days or {},
            protect=self._settings.protect,
            exists=exists,
        )
        return Bucket(name, args, self._options)

    def _create_writer(self) -> Credentials:
        bucket = self._settings.landing
        policy = writer_policy(self._arn(bucket), *self._written)
        return self._create_user("writer", naming.writer(bucket), policy)

    def _create_reader(self) -> Credentials:
        bucket = self._settings.landing
        policy = reader_policy(self._arn(bucket), naming.LANDING_PATH, naming.TABLES_PATH, naming.LOGS_PATH)
        return self._create_user("reader", naming.reader(bucket), policy)

    def _create_backup_writer(self) -> Credentials:
        bucket = self._settings.backup
        return self._create_user("backup", naming.writer(bucket), backup_policy(self._arn(bucket)))

    def _arn(self, bucket: str) -> str:
        return bucket_arn(bucket, self._settings.region)

    def _create_user(self, name: str, user: str, policy: str) -> Credentials:
        protected = pulumi.ResourceOptions(protect=self._settings.protect)
        opts = pulumi.ResourceOptions.merge(self._options, protected)
        return create_user(name, user, policy, self._settings.keys or (FIRST_KEY,), opts)


def _provider(name: str, settings: LandingZoneSettings, parent: pulumi.Resource) -> aws.Provider:
    """The provider for AWS or for the other server. It takes the admin's credentials from the environment."""
    opts = pulumi.ResourceOptions(parent=parent)
    if settings.server == "aws":
        accounts = [settings.account] if settings.account is not None else None
        return aws.Provider(name, region=settings.region, allowed_account_ids=accounts, opts=opts)
    return aws.Provider(
        name,
        region=settings.region,
        endpoints=[aws.ProviderEndpointArgs(s3=settings.endpoint)],
        s3_use_path_style=True,
        # A server that is not AWS has no STS, no instance metadata, no account and regions of its own.
        skip_credentials_validation=True,
        skip_metadata_api_check=True,
        skip_region_validation=True,
        skip_requesting_account_id=True,
        opts=opts,
    )


@dataclass(frozen=True)
class BucketArgs:
    """The arguments of a bucket.

    Attributes:
        bucket: its name on the server.
        region: of the bucket.
        features: of the server; the bucket uses all of them.
        version_days: days for which a replaced or deleted object can be restored; None keeps no versions.
        expire_days: days after which objects are deleted, by prefix; an object of no prefix is kept.
        protect: whether the bucket must be unprotected before it can be deleted.
        exists: whether the bucket exists before the stack, and remains after it.
    """

    bucket: str
    region: str
    features: frozenset[Feature]
    protect: bool
    version_days: int | None = None
    expire_days: Mapping[str, int] = field(default_factory=dict)
    exists: bool = False


class Bucket(aws.s3.Bucket):
    """A bucket, named after its purpose; the resources that configure it are its children and have its name."""

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions) -> None:
        own = pulumi.ResourceOptions(
            protect=args.protect,
            import_=args.bucket if args.exists else None,
            retain_on_delete=args.exists or None,
        )
        # S3 deletes only empty buckets. An unprotected bucket is deleted with its objects.
        force = True if not args.protect and not args.exists else None
        super().__init__(name, bucket=args.bucket, force_destroy=force, opts=pulumi.ResourceOptions.merge(opts, own))
        self._args = args
        self._restrict_access()
        self._encrypt()
        self._expire(self._keep_versions())

    def _child_options(self, *dependencies: pulumi.Resource) -> pulumi.ResourceOptions:
        # Children are protected too: a `destroy` that stops at the protected bucket deletes its children before.
        return pulumi.ResourceOptions(
            parent=self,
            protect=self._args.protect,
            retain_on_delete=self._args.exists or None,
            depends_on=list(dependencies),
        )

    def _restrict_access(self) -> None:
        """Deny public access, ACLs, and requests without TLS."""
        blocks: list[pulumi.Resource] = []
        if "public_access_block" in self._args.features:
            block = aws.s3.BucketPublicAccessBlock(
                self._name,
                bucket=self.bucket,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
                opts=self._child_options(),
            )
            blocks.append(block)
        if "ownership_controls" in self._args.features:
            rule = aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced")
            aws.s3.BucketOwnershipControls(self._name, bucket=self.bucket, rule=rule, opts=self._child_options(*blocks))
        if "tls_only_policy" in self._args.features:
            arn = bucket_arn(self._args.bucket, self._args.region)
            # S3 refuses two concurrent changes of one bucket's access, so the policy comes after the block.
            aws.s3.BucketPolicy(
                self._name, bucket=self.bucket, policy=tls_only_policy(arn), opts=self._child_options(*blocks)
            )

    def _encrypt(self) -> None:
        if "encryption" in self._args.features:
            default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                sse_algorithm="AES256"
            )
            rule = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=default
            )
            aws.s3.BucketServerSideEncryptionConfiguration(
                self._name, bucket=self.bucket, rules=[rule], opts=self._child_options()
            )

    def _keep_versions(self) -> list[pulumi.Resource]:
        if "versioning" not in self._args.features or self._args.version_days is None:
            return []
        enabled = aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled")
        return [
            aws.s3.BucketVersioning(
                self._name, bucket=self.bucket, versioning_configuration=enabled, opts=self._child_options()
            )
        ]

    def _expire(self, versions: list[pulumi.Resource]) -> None:
        if "lifecycle" in self._args.features:
            aws.s3.BucketLifecycleConfiguration(
                self._name,
                bucket=self.bucket,
                rules=_lifecycle_rules(self._args.version_days if versions else None, self._args.expire_days),
                opts=self._child_options(*versions),
            )


def _lifecycle_rules(
    version_days: int | None, expire_days: Mapping[str, int]
) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
    """The rules that delete unfinished uploads, noncurrent versions, and objects below some prefixes.

    Args:
        version_days: days after which a noncurrent version is deleted; None if none are kept.
        expire_days: days after which objects are deleted, by prefix.
    """
    aborted = aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=UPLOAD_DAYS
    )
    rules = [_lifecycle_rule("aborted-uploads", "", abort_incomplete_multipart_upload=aborted)]
    if version_days is not None:
        old = aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(noncurrent_days=version_days)
        marker = aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True)
        rules.append(_lifecycle_rule("old-versions", "", noncurrent_version_expiration=old, expiration=marker))
    for prefix, days in sorted(expire_days.items()):
        expiration = aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days)
        rules.append(_lifecycle_rule(f"expired-{prefix}", f"{prefix}/", expiration=expiration))
    return rules


def _lifecycle_rule(
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


def create_user(name: str, user: str, policy: str, keys: Sequence[str], opts: pulumi.ResourceOptions) -> Credentials:
    """Create an IAM user with a policy and access keys; return the last key.

    A new key is created beside the old one, which works until its name is removed from the keys.

    Args:
        name: of the resources.
        user: the user's name on AWS.
        policy: an IAM policy document.
        keys: the names of the keys, at least one; AWS allows two per user.
        opts: of all these resources; the keys themselves are never protected.
    """
    owner = aws.iam.User(name, name=user, opts=opts)
    # A rotation deletes the old key, so keys are not protected. The policy depends on them instead: the engine keeps
    # whatever a protected resource depends on, so a refused `destroy` deletes no key.
    unprotected = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=False))
    names = [name if key == FIRST_KEY else f"{name}-{key}" for key in keys]
    created = [aws.iam.AccessKey(each, user=owner.name, opts=unprotected) for each in names]
    policy_opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=created))
    user_policy = aws.iam.UserPolicy(name, name=name, user=owner.name, policy=policy, opts=policy_opts)
    return Credentials(_permitted(created[-1].id, user_policy), _permitted(created[-1].secret, user_policy))


def _permitted(part: pulumi.Output[str], policy: aws.iam.UserPolicy) -> pulumi.Output[str]:
    """A part of a key as a secret that is available once the user has its permissions: its consumers check the key."""
    return pulumi.Output.secret(pulumi.Output.all(part, policy.id).apply(lambda both: str(both[0])))


# IAM policy documents: pure text.


def bucket_arn(bucket: str, region: str) -> str:
    """The ARN of a bucket; AWS' regions in China and for the US government are partitions of their own."""
    partitions = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
    partition = next((name for start, name in partitions.items() if region.startswith(f"{start}-")), "aws")
    return f"arn:{partition}:s3:::{bucket}"


def tls_only_policy(arn: str) -> str:
    """Deny every request without TLS, whatever other policies allow."""
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


def writer_policy(arn: str, prefix: str, *others: str) -> str:
    """Allow writing and deleting below prefixes, and listing the bucket."""
    more = (_allow(f"Write{other.title()}", _WRITE, f"{arn}/{other}/*") for other in others)
    return _document(_allow("Write", _WRITE, f"{arn}/{prefix}/*"), *more, _allow("List", _LIST, arn))


def reader_policy(arn: str, prefix: str, tables: str, logs: str) -> str:
    """Allow reading below a prefix, writing and deleting below those of tables and logs, and listing the bucket."""
    return _document(
        _allow("Read", _READ, f"{arn}/{prefix}/*"),
        _allow("Tables", _WRITE, f"{arn}/{tables}/*"),
        _allow("Logs", _WRITE, f"{arn}/{logs}/*"),
        _allow("List", _LIST, arn),
    )


def backup_policy(arn: str) -> str:
    """Allow reading, writing and deleting in the whole bucket, which has only backups, and listing it."""
    return _document(_allow("Backups", _WRITE, f"{arn}/*"), _allow("List", _LIST, arn))


def _allow(name: str, actions: tuple[str, ...], resource: str) -> Statement:
    return {"Sid": name, "Effect": "Allow", "Action": list(actions), "Resource": resource}


def _document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
