"""A bucket and what keeps it safe, as far as its server has it."""

import pulumi
import pulumi_aws as aws
from pydantic import BaseModel, ConfigDict, PositiveInt

from lotus_infra.components import policies
from lotus_infra.components.zone_settings import Feature

UPLOAD_DAYS = 7
"""An upload that nobody finished in a week is forgotten, and is paid for until it is gone."""


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
            arn = policies.bucket_arn(self._settings.bucket, self._settings.region)
            # S3 refuses two changes of one bucket's access at the same time.
            aws.s3.BucketPolicy(
                self._name, bucket=self.bucket, policy=policies.tls_only(arn), opts=self._below(*blocks)
            )

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
