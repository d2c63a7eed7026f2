"""How a bucket keeps what is in it: encrypted, in versions, for so long."""

from sandbox.plugins.aws.buckets import Setting
from sandbox.plugins.aws.kinds import Document, from_api, to_api


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
