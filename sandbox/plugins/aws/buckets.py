"""Buckets and their settings."""

from abc import abstractmethod
from typing import cast

from botocore.exceptions import ClientError
from pulumi_airbyte.provider.properties import Properties

from sandbox.plugins.aws.resource import (
    Document,
    Live,
    ResourceType,
    from_api,
    is_missing,
    same_policy,
    to_api,
    without_defaults,
)


class Bucket(ResourceType):
    """`aws.s3.Bucket`: a name; deleted with its objects only if `forceDestroy` is set."""

    token = "aws:s3/bucket:Bucket"
    allowed = frozenset({"bucket", "forceDestroy"})
    replacing = frozenset({"bucket"})
    computed = frozenset({"arn", "region"})

    def create(self, inputs: Properties) -> Live:
        """CreateBucket."""
        bucket, region = str(inputs["bucket"]), self.clients.region
        if region == "us-east-1":
            self.clients.s3.create_bucket(Bucket=bucket)
        else:
            where: Document = {"LocationConstraint": region}
            self.clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        return self._live(bucket, inputs)

    def read(self, identity: str, inputs: Properties, outputs: Properties) -> Live | None:
        """HeadBucket."""
        try:
            self.clients.s3.head_bucket(Bucket=identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return self._live(identity, {**inputs, "bucket": identity})

    def update(self, identity: str, inputs: Properties, outputs: Properties) -> Properties:
        """Only `forceDestroy` changes in place, and is not stored on the server."""
        return self._live(identity, inputs).outputs

    def delete(self, identity: str, inputs: Properties) -> None:
        """DeleteBucket, after its objects where that is wanted."""
        try:
            if inputs.get("forceDestroy") is True:
                self._empty(identity)
            self.clients.s3.delete_bucket(Bucket=identity)
        except ClientError as error:
            if not is_missing(error):
                raise

    def _live(self, bucket: str, inputs: Properties) -> Live:
        outputs = {**inputs, "arn": f"arn:aws:s3:::{bucket}", "region": self.clients.region}
        return Live(bucket, inputs, outputs)

    def _empty(self, bucket: str) -> None:
        for page in self.clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                self.clients.s3.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])
        for listed in self.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for left in listed.get("Contents", ()):
                self.clients.s3.delete_object(Bucket=bucket, Key=left["Key"])


class Setting(ResourceType):
    """What is set on a bucket as a whole: put again for every change, and named after the bucket."""

    replacing = frozenset({"bucket"})

    @abstractmethod
    def put(self, bucket: str, inputs: Document) -> None:
        """Set it."""

    @abstractmethod
    def get(self, bucket: str) -> Document:
        """What is set, as inputs without the bucket; raises the server's error where nothing is."""

    @abstractmethod
    def remove(self, bucket: str) -> None:
        """Set nothing."""

    def create(self, inputs: Properties) -> Live:
        """PUT."""
        bucket = str(inputs["bucket"])
        self.put(bucket, inputs)
        return Live(bucket, inputs, inputs)

    def read(self, identity: str, inputs: Properties, outputs: Properties) -> Live | None:
        """GET; an equivalent setting reads back as it was sent."""
        try:
            found = self.get(identity)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        if not without_defaults(found):
            return None
        live = cast("Properties", {"bucket": identity, **found})
        kept = inputs if self.means_same(without_defaults(live), without_defaults(inputs)) else live
        return Live(identity, kept, kept)

    def means_same(self, live: Document, wanted: Document) -> bool:
        """Whether the two mean the same."""
        return bool(live == wanted)

    def update(self, identity: str, inputs: Properties, outputs: Properties) -> Properties:
        """PUT."""
        self.put(identity, inputs)
        return inputs

    def delete(self, identity: str, inputs: Properties) -> None:
        """DELETE."""
        try:
            self.remove(identity)
        except ClientError as error:
            if not is_missing(error):
                raise


class PublicAccessBlock(Setting):
    """`aws.s3.BucketPublicAccessBlock`."""

    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    allowed = frozenset({"bucket", "blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"})

    def put(self, bucket: str, inputs: Document) -> None:
        """PutPublicAccessBlock."""
        flags = to_api({key: value for key, value in inputs.items() if key != "bucket"})
        self.clients.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=flags)

    def get(self, bucket: str) -> Document:
        """GetPublicAccessBlock."""
        return from_api(self.clients.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"])

    def remove(self, bucket: str) -> None:
        """DeletePublicAccessBlock."""
        self.clients.s3.delete_public_access_block(Bucket=bucket)


class OwnershipControls(Setting):
    """`aws.s3.BucketOwnershipControls`."""

    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    allowed = frozenset({"bucket", "rule"})

    def put(self, bucket: str, inputs: Document) -> None:
        """PutBucketOwnershipControls."""
        self.clients.s3.put_bucket_ownership_controls(
            Bucket=bucket, OwnershipControls={"Rules": [to_api(inputs["rule"])]}
        )

    def get(self, bucket: str) -> Document:
        """GetBucketOwnershipControls."""
        [rule] = self.clients.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        return {"rule": from_api(rule)}

    def remove(self, bucket: str) -> None:
        """DeleteBucketOwnershipControls."""
        self.clients.s3.delete_bucket_ownership_controls(Bucket=bucket)


class Policy(Setting):
    """`aws.s3.BucketPolicy`."""

    token = "aws:s3/bucketPolicy:BucketPolicy"
    allowed = frozenset({"bucket", "policy"})

    def put(self, bucket: str, inputs: Document) -> None:
        """PutBucketPolicy."""
        self.clients.s3.put_bucket_policy(Bucket=bucket, Policy=inputs["policy"])

    def get(self, bucket: str) -> Document:
        """GetBucketPolicy."""
        return {"policy": self.clients.s3.get_bucket_policy(Bucket=bucket)["Policy"]}

    def means_same(self, live: Document, wanted: Document) -> bool:
        """As documents, not as texts."""
        return bool(wanted) and same_policy(live["policy"], wanted["policy"])

    def remove(self, bucket: str) -> None:
        """DeleteBucketPolicy."""
        self.clients.s3.delete_bucket_policy(Bucket=bucket)


class Encryption(Setting):
    """`aws.s3.BucketServerSideEncryptionConfiguration`."""

    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    allowed = frozenset({"bucket", "rules"})

    def put(self, bucket: str, inputs: Document) -> None:
        """PutBucketEncryption."""
        rules = {"Rules": to_api(inputs["rules"])}
        self.clients.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)  # type: ignore[arg-type]

    def get(self, bucket: str) -> Document:
        """GetBucketEncryption."""
        found = self.clients.s3.get_bucket_encryption(Bucket=bucket)
        return {"rules": from_api(found["ServerSideEncryptionConfiguration"]["Rules"])}

    def remove(self, bucket: str) -> None:
        """DeleteBucketEncryption."""
        self.clients.s3.delete_bucket_encryption(Bucket=bucket)


class Versioning(Setting):
    """`aws.s3.BucketVersioning`."""

    token = "aws:s3/bucketVersioning:BucketVersioning"
    allowed = frozenset({"bucket", "versioningConfiguration"})

    def put(self, bucket: str, inputs: Document) -> None:
        """PutBucketVersioning."""
        wanted = to_api(inputs["versioningConfiguration"])
        self.clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=wanted)

    def get(self, bucket: str) -> Document:
        """GetBucketVersioning; a bucket that never had versions answers nothing."""
        status = self.clients.s3.get_bucket_versioning(Bucket=bucket).get("Status")
        return {"versioningConfiguration": {"status": status}} if status else {}

    def remove(self, bucket: str) -> None:
        """Versioning can't be taken away, only suspended."""
        self.clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


class Lifecycle(Setting):
    """`aws.s3.BucketLifecycleConfiguration`."""

    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    allowed = frozenset({"bucket", "rules"})

    def put(self, bucket: str, inputs: Document) -> None:
        """PutBucketLifecycleConfiguration."""
        rules = {"Rules": to_api(inputs["rules"])}
        self.clients.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rules)  # type: ignore[arg-type]

    def get(self, bucket: str) -> Document:
        """GetBucketLifecycleConfiguration."""
        return {"rules": from_api(self.clients.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"])}

    def remove(self, bucket: str) -> None:
        """DeleteBucketLifecycle."""
        self.clients.s3.delete_bucket_lifecycle(Bucket=bucket)
