"""The table of verdicts: for each resource type, what its creation, replacement, deletion and changes mean for data.

The world is closed. A change is safe only if a row says so. A property without a row is at least `look`; so are an
operation that the engine is not known to have, and a change whose properties the engine does not name. Of a type
without an entry, a creation or a change is an exposure, and a replacement or a deletion is a loss. docs/verdicts.md
shows the table.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Self

from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.plan import rules
from lotus_infra.plan.impact import (
    BUCKET,
    CONNECTION,
    DECLARATIVE_DEFINITION,
    DESTINATION,
    DESTINATION_DEFINITION,
    DLT_SOURCE,
    EFFECTS,
    LIFECYCLE,
    OAUTH_CREDENTIALS,
    PERMISSION,
    PROVIDER,
    SOURCE,
    SOURCE_DEFINITION,
    TAG,
    Finding,
    is_object,
    is_provider,
    kind_of,
)
from lotus_infra.plan.preview import (
    REPLACEMENT_PARTS,
    REPLACES,
    UNKNOWN,
    PropertyPath,
    ResourceState,
    Step,
    hides,
    is_hidden,
    named_paths,
    parse_property_path,
    parts,
    value_at,
)
from lotus_infra.plan.rules import destroys, exposes, look, touches

Compare = Callable[[JsonValue, JsonValue], Iterator[Finding]]
"""A rule: it compares the value of a property before and after."""
SAFE: Final = Finding("safe", "")
UNKNOWN_PROPERTY: Final = look("changes in a property that the table of verdicts does not have")


@dataclass(frozen=True, slots=True)
class Row:
    """The verdict on a property, and on everything below it that has no row of its own.

    Attributes:
        finding: the verdict on every change; of a row with a rule, on a change whose values the preview does not show.
        compare: the rule; None if every change has the same verdict.
        secret: the verdict on a change of a secret, if it is another.
        on_create: the rule for a new object whose owner exists already, such as the policy of a bucket.
        on_new: the rule for a new object whose owner is new too, or that has none.
        of: the part of the object that the rule compares, if it needs more than the property itself.
    """

    finding: Finding
    compare: Compare | None = None
    secret: Finding | None = None
    on_create: Compare | None = None
    on_new: Compare | None = None
    of: PropertyPath | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """The object that a setting belongs to.

    Attributes:
        type: its type.
        link: the setting's input that names the owner.
        identity: the owner's input with the same value.
    """

    type: str
    link: str
    identity: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The verdicts on one resource type.

    Attributes:
        create: on a creation.
        replace: on a replacement: the old object is deleted.
        delete: on a deletion.
        rows: on a change of each property, by path; `*` is any one key or index.
        others: on a change of a property without a row.
        subject: the kind in acknowledgements, if it is not the type's own.
        owner: the object that it belongs to; its own deletion includes this one.
    """

    create: Finding
    replace: Finding
    delete: Finding
    rows: Mapping[str, Row] = field(default_factory=dict)
    others: Finding = UNKNOWN_PROPERTY
    subject: str = ""
    owner: Owner | None = None


def _safe() -> Row:
    return Row(SAFE)


def _look(what: str) -> Row:
    return Row(look(what))


def _rule(compare: Compare, unseen: Finding, *, on_create: Compare | None = None, on_new: Compare | None = None) -> Row:
    return Row(unseen, compare, on_create=on_create, on_new=on_new)


def _opens(what: str) -> Row:
    """A property that opens an object to others, on a new object too."""

    def on_new(_before: JsonValue, after: JsonValue) -> Iterator[Finding]:
        if after is not None:
            yield exposes(what)

    return Row(exposes(what), on_new=on_new)


def _always(compare: Compare, unseen: Finding) -> Row:
    """A rule that applies to new objects too."""
    return _rule(compare, unseen, on_create=compare, on_new=compare)


IDENTITY: Final = _look("is another object")
"""The row of a property that identifies the object: its change has the verdict of a replacement."""
_FORCE: Final = _rule(rules.force_destroy, destroys("may be deleted from now on even if it is not empty"))
_TAGS: Final = {"tags": _safe(), "tagsAll": _safe()}


# Airbyte

ANOTHER_SECRET: Final = look("has another secret, which may give access to another account")
_ACTOR: Final = {
    "name": _safe(),
    "workspaceId": Row(exposes("moves to another workspace: its settings and secrets are there from now on")),
    "definitionId": IDENTITY,
    "configuration": Row(touches("is configured in another way"), secret=ANOTHER_SECRET),
    "resourceAllocation": _look("has other resources for its jobs"),
    "checkConnection": _safe(),
    "forceDestroy": _FORCE,
}
_CONNECTION: Final = {
    "name": _safe(),
    "sourceId": Row(touches("reads another source")),
    "destinationId": Row(touches("writes to another destination")),
    "configurations": Row(touches("reads other streams, or reads them in another way")),
    # Tokens that request a re-read are listed as refreshes, and touch data as such.
    "backfills": _safe(),
    "schedule": _rule(rules.schedule, look("may have no schedule any more")),
    "namespaceDefinition": Row(touches("writes under another namespace")),
    "namespaceFormat": Row(touches("writes under another namespace")),
    "prefix": Row(touches("writes under another prefix")),
    "nonBreakingSchemaUpdatesBehavior": _look("reacts in another way to fields that its source gains or loses"),
    "status": _rule(rules.status, touches("may stop syncing, or sync again")),
    "tags": _safe(),
    "notifySchemaChanges": _safe(),
    "notifySchemaChangesByEmail": _safe(),
    "backfillPreference": _look("may re-read streams that gain a field"),
    "resourceRequirements": _look("has other resources for its syncs"),
    "refreshMode": _rule(rules.refresh_mode, touches("may delete existing rows in a refresh")),
    "refreshOnSchemaChange": _look("may re-read streams that change"),
    "allowCursorLoss": _look("may lose its cursors in a replacement from now on"),
}


def _definition(actors: str, rows: Mapping[str, Row]) -> Entry:
    """A connector of one's own. The server deletes a definition with everything that it runs."""
    cascade = f"Airbyte deletes every {actors} of it too, with its connections and every cursor"
    moves = Row(exposes("moves to another workspace"))
    common = {"name": _safe(), "workspaceId": moves, "forceDestroy": _FORCE}
    return Entry(
        create=look(f"is a connector of one's own: its code gets the settings and secrets of every {actors} of it"),
        replace=destroys(f"is replaced: {cascade}"),
        delete=destroys(f"is deleted: {cascade}"),
        rows={**common, **rows},
    )


def _image(actors: str) -> Entry:
    gets = f"which gets the settings and secrets of every {actors} of it"
    rows = {
        "dockerRepository": Row(exposes(f"runs another image, {gets}")),
        "dockerImageTag": _look(f"runs other code, {gets}"),
        "documentationUrl": IDENTITY,
    }
    return _definition(actors, rows)


_AIRBYTE: Final = {
    SOURCE: Entry(
        create=touches("is added"),
        replace=touches("is replaced, with its connection"),
        delete=destroys("is deleted, with its connection and every cursor; files in the bucket stay"),
        rows={**_ACTOR, "secretId": Row(ANOTHER_SECRET)},
    ),
    DESTINATION: Entry(
        create=look("is added: data may go there"),
        replace=touches("is replaced: new rows land in the new one"),
        delete=destroys("is deleted; files in the bucket stay"),
        rows=_ACTOR,
    ),
    CONNECTION: Entry(
        create=touches("is added"),
        replace=touches("is replaced"),
        delete=destroys("is deleted, with every cursor; files in the bucket stay"),
        rows=_CONNECTION,
    ),
    SOURCE_DEFINITION: _image("source"),
    DESTINATION_DEFINITION: _image("destination"),
    DECLARATIVE_DEFINITION: _definition(
        "source",
        {
            # Airbyte has no call that renames one.
            "name": IDENTITY,
            "manifest": _rule(
                rules.manifest,
                exposes("may send the secrets of its sources to another place: its manifest is not shown"),
            ),
        },
    ),
    TAG: Entry(
        create=SAFE,
        replace=look("is replaced: connections outside of the stack lose it"),
        delete=look("is deleted: connections outside of the stack lose it"),
        rows={"name": _safe(), "color": _safe(), "workspaceId": IDENTITY},
    ),
    OAUTH_CREDENTIALS: Entry(
        create=look("lets users consent to another application, and overwrites what is there"),
        replace=look("is for another connector or another place: consents of the old one stop to work"),
        delete=look("is deleted: sources and destinations that use it need a new consent"),
        rows={
            "workspaceId": IDENTITY,
            "organizationId": IDENTITY,
            "actorType": IDENTITY,
            "name": IDENTITY,
            "configuration": Row(ANOTHER_SECRET),
        },
    ),
    PERMISSION: Entry(
        create=exposes("lets a user into a workspace or an organization"),
        replace=exposes("lets another user in, or the user into another place"),
        delete=look("is deleted: the user loses access; with an organization, also to its workspaces"),
        rows={
            "userId": Row(exposes("lets another user in")),
            "workspaceId": Row(exposes("lets the user into another place")),
            "organizationId": Row(exposes("lets the user into another place")),
            "permissionType": Row(exposes("may let the user do more")),
        },
    ),
    "airbyte:index/workspace:Workspace": Entry(
        create=look("is added"),
        replace=destroys("is replaced: everything in the old one is deleted"),
        delete=destroys("is deleted with everything in it"),
        rows={
            "name": _safe(),
            "organizationId": IDENTITY,
            "regionId": _look("runs its jobs in another region"),
            "notifications": _look("notifies others, or of other events"),
            "forceDestroy": _FORCE,
        },
    ),
}


# Sources that dlt reads

_DLT: Final = {
    DLT_SOURCE: Entry(
        create=touches("is added"),
        replace=touches("is replaced"),
        # dlt keeps its cursors in the bucket, and the stack keeps the values of the secret.
        delete=touches("is deleted: no new rows land; its files and dlt's state in the bucket stay"),
        rows={
            "module": Row(touches("is read by another module, which gets its configuration and secrets")),
            "configuration": _ACTOR["configuration"],
            **{
                name: _CONNECTION[name]
                for name in (
                    *("configurations", "backfills", "schedule", "status"),
                    *("namespaceDefinition", "namespaceFormat", "prefix"),
                )
            },
            # Each is the landing bucket: the path says where in it.
            "destination": _safe(),
            "path": Row(touches("writes below another path of the landing bucket")),
            "resourceRequirements": _look("has other resources for its runs"),
        },
    )
}


# S3 and IAM

_OF_BUCKET: Final = Owner(BUCKET, "bucket", "bucket")
_OF_USER: Final = Owner("aws:iam/user:User", "user", "name")
_SETTING: Final = {"bucket": IDENTITY, "region": IDENTITY, "expectedBucketOwner": _look("has another expected owner")}
_ACCESS_FLAG: Final = _always(rules.access_block, exposes("may no longer block public access"))
_POLICY: Final = _always(rules.bucket_policy, exposes("has a policy that this preview does not show"))
_INLINE: Final = exposes("has an access rule of its own, which is not compared")


def _setting(removed: Finding, rows: Mapping[str, Row]) -> Entry:
    """A setting of a bucket, which is lost by a bucket that it no longer applies to."""
    return Entry(SAFE, removed, removed, {**_SETTING, **rows}, subject="bucket", owner=_OF_BUCKET)


_AWS: Final = {
    BUCKET: Entry(
        create=SAFE,
        replace=destroys("is replaced: the old one is deleted with all its contents"),
        delete=destroys("is deleted with all its contents"),
        rows={
            **_TAGS,
            "bucket": IDENTITY,
            "bucketPrefix": IDENTITY,
            "region": IDENTITY,
            "forceDestroy": _FORCE,
            "acl": _always(rules.canned_acl, _INLINE),
            "grants": _opens(_INLINE.what),
            "policy": _POLICY,
            "website": _opens("serves its objects as a website"),
            "corsRules": _opens("lets other websites read its objects"),
            "replicationConfiguration": _opens("copies its objects to another bucket"),
            "lifecycleRules": _always(rules.lifecycle, destroys("may expire its data")),
            "versioning": Row(destroys("may no longer keep versions")),
            "objectLockConfiguration": Row(destroys("may no longer protect its objects from deletion")),
            "serverSideEncryptionConfiguration": Row(exposes("may no longer encrypt new objects")),
        },
    ),
    LIFECYCLE: _setting(
        destroys("loses its lifecycle rules: old versions and unfinished uploads stay for ever"),
        {
            "rules": _rule(
                rules.lifecycle, destroys("may expire its data: its rules are not shown"), on_create=rules.lifecycle
            ),
            "timeouts": _safe(),
            "transitionDefaultMinimumObjectSize": _look("moves objects of other sizes to other storage classes"),
        },
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(
        destroys("keeps no versions any more: what is replaced or deleted can't be restored"),
        {
            "versioningConfiguration": _rule(
                rules.versioning, destroys("may keep no versions any more"), on_create=rules.versioning
            ),
            "mfa": _look("has another device for the deletion of versions"),
        },
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(
        exposes("no longer blocks public access"),
        {
            "blockPublicAcls": _ACCESS_FLAG,
            "blockPublicPolicy": _ACCESS_FLAG,
            "ignorePublicAcls": _ACCESS_FLAG,
            "restrictPublicBuckets": _ACCESS_FLAG,
            "skipDestroy": _look("keeps or removes its public access block with the stack"),
        },
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _setting(
        exposes("loses its policy, which denies requests without TLS"), {"policy": _POLICY}
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(
        exposes("may accept ACLs, by which single objects can be made public"),
        {"rule": _always(rules.ownership, exposes("may accept ACLs, by which single objects can be made public"))},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        exposes("no longer encrypts new objects by a rule of its own"),
        {"rules": _always(rules.encryption, exposes("may no longer encrypt new objects"))},
    ),
    "aws:iam/user:User": Entry(
        create=look("is a new identity"),
        replace=look("is replaced: the keys of the old one stop working"),
        delete=destroys("is deleted: its keys stop working"),
        rows={
            **_TAGS,
            "name": _look("has another name: what refers to the old one stops working"),
            "path": _look("has another path"),
            "permissionsBoundary": Row(exposes("has another limit of its rights")),
            "forceDestroy": _FORCE,
        },
    ),
    "aws:iam/userPolicy:UserPolicy": Entry(
        create=SAFE,
        replace=look("is replaced"),
        delete=destroys("is deleted: its user loses these rights"),
        rows={
            "name": IDENTITY,
            "namePrefix": IDENTITY,
            "user": IDENTITY,
            "policy": _rule(
                rules.user_policy,
                exposes("may allow more: the policy is not shown"),
                on_create=rules.user_policy,
                on_new=rules.wide_policy,
            ),
        },
        owner=_OF_USER,
    ),
    "aws:iam/accessKey:AccessKey": Entry(
        create=look("is a new key"),
        replace=look("is replaced: the old key stops working"),
        delete=destroys("is deleted: what still uses the key is refused"),
        rows={
            "user": IDENTITY,
            "status": _look("is switched on or off: what uses the key may be refused"),
            "pgpKey": IDENTITY,
        },
    ),
}


# Kubernetes

_METADATA: Final = {
    "apiVersion": _look("is of another version of its kind"),
    "kind": IDENTITY,
    "metadata.name": IDENTITY,
    "metadata.namespace": IDENTITY,
    "metadata.labels": _look("has other labels, by which controllers select it"),
    "metadata.annotations": _look("has other annotations, which controllers may obey"),
    'metadata.annotations["pulumi.com/waitFor"]': _safe(),
}
_SERVED: Final = _look("is served in another way")
_PODS: Final = _look("has pods with other settings")
_BACKUPS: Final = Row(destroys("may have no backups any more: they are not shown"), rules.backups, of=("spec",))
_ELSEWHERE: Final = Row(touches("reads or writes at another place, or with other settings"))
_UNSHOWN_INGRESS: Final = exposes("may be open to others: its ingress is not shown")
_SECRET: Final = "kubernetes:core/v1:Secret"
_KUBERNETES: Final = {
    "kubernetes:core/v1:Namespace": Entry(
        create=SAFE,
        replace=destroys("is replaced: the old one is deleted with all its contents"),
        delete=destroys("is deleted with all its contents"),
        rows={**_METADATA, "spec": _look("has another specification")},
    ),
    "kubernetes:core/v1:PersistentVolumeClaim": Entry(
        create=look("is a new volume"),
        replace=destroys("is replaced: the old one is deleted with all its contents"),
        delete=destroys("is deleted with all its contents"),
        rows={
            **_METADATA,
            "spec.resources.requests.storage": _rule(rules.volume_size, destroys("may have a smaller volume")),
        },
    ),
    _SECRET: Entry(
        create=SAFE,
        replace=look("is replaced: pods that start in between do not find it"),
        delete=destroys("is deleted: pods that need it do not start"),
        rows={
            **_METADATA,
            "type": IDENTITY,
            "stringData": _look("has other credentials"),
            "data": _look("has other credentials"),
        },
    ),
    "kubernetes:postgresql.cnpg.io/v1:Cluster": Entry(
        create=SAFE,
        replace=destroys("is replaced: the old one is deleted with all its contents"),
        delete=destroys("is deleted with all its contents"),
        rows={
            **_METADATA,
            "spec.instances": _rule(rules.instances, destroys("may have fewer instances")),
            "spec.storage.size": _rule(rules.volume_size, destroys("may have a smaller volume")),
            "spec.storage": _look("has other volumes"),
            "spec.bootstrap": _look("would be created in another way; one that exists stays as it is"),
            "spec.imageName": _rule(
                rules.postgres_image, touches("may run another major version of Postgres, which converts its files")
            ),
            "spec.resources": _look("has other resources, after a restart"),
            "spec.affinity": _look("runs on other nodes, after a restart"),
            "spec.externalClusters": _look("would be created in another way; one that exists stays as it is"),
            # Backups move from one to the other: each alone would look like their end.
            **dict.fromkeys(("spec.backup", "spec.plugins"), _BACKUPS),
        },
    ),
    "kubernetes:postgresql.cnpg.io/v1:ScheduledBackup": Entry(
        create=SAFE,
        replace=destroys("is replaced: the records of its earlier backups are deleted with it"),
        delete=destroys("is deleted: its database gets no new backups"),
        rows={
            **_METADATA,
            "spec.schedule": _look("runs at other times"),
            "spec.suspend": _rule(rules.suspended, destroys("may be suspended")),
            "spec.cluster": Row(destroys("is of another database: the one before gets no new backups")),
            **dict.fromkeys(("spec.method", "spec.pluginConfiguration"), _look("makes its backups in another way")),
            "spec.backupOwnerReference": _look("has backups with another owner, by which they are deleted"),
            "spec.immediate": _safe(),
        },
    ),
    "kubernetes:barmancloud.cnpg.io/v1:ObjectStore": Entry(
        create=SAFE,
        replace=destroys("is replaced: its databases are not backed up meanwhile"),
        delete=destroys("is deleted: its databases are no longer backed up"),
        rows={
            **_METADATA,
            "spec.configuration": _rule(
                rules.object_store, destroys("may be another place: it is not shown"), on_new=rules.object_store
            ),
            "spec.retentionPolicy": _rule(rules.retention, destroys("may keep backups for a shorter time")),
            "spec.instanceSidecarConfiguration": _look("has other settings for the plugin, after a restart"),
        },
    ),
    "kubernetes:apps/v1:StatefulSet": Entry(
        create=look("is added"),
        replace=destroys("is replaced: its pods lose their place, and their volumes may be deleted"),
        delete=destroys("is deleted: its volumes may be deleted with it"),
        rows=_METADATA,
    ),
    "kubernetes:helm.sh/v3:Release": Entry(
        create=look("is installed: sensors and schedules start to run"),
        replace=destroys("is replaced: the old one is uninstalled, with its running jobs"),
        delete=destroys("is uninstalled, with its running jobs"),
        rows={
            "name": IDENTITY,
            "namespace": IDENTITY,
            "chart": _look("is installed from another chart"),
            "repositoryOpts": _look("is installed from another repository"),
            "version": _look("has another version of its chart, which may convert its database"),
            "compat": _safe(),
            "checksum": _look("is installed from another chart"),
            "resourceNames": _look("has other objects on the cluster"),
            **dict.fromkeys(("atomic", "cleanupOnFail", "skipAwait", "waitForJobs"), _SERVED),
            **dict.fromkeys(("timeout", "maxHistory"), _safe()),
            "values": _PODS,
            "values.ingress": _rule(rules.ingress, _UNSHOWN_INGRESS, on_new=rules.ingress),
            "values.*.service.type": _rule(rules.service, exposes("may have a service that is open to others")),
            "values.dagsterWebserver.replicaCount": _safe(),
            "values.postgresql": _ELSEWHERE,
            "values.generatePostgresqlPasswordSecret": _ELSEWHERE,
            "values.global.postgresqlSecretName": _ELSEWHERE,
            "values.dagster-user-deployments.deployments.*.env": _ELSEWHERE,
            "values.dagster-user-deployments.deployments.*.envSecrets": _ELSEWHERE,
            "values.runLauncher.config.k8sRunLauncher.envVars": _ELSEWHERE,
            "values.runLauncher.config.k8sRunLauncher.envSecrets": _ELSEWHERE,
            "values.runLauncher.type": _ELSEWHERE,
            "values.computeLogManager": _look("writes the output of runs at another place"),
            # The fingerprint of everything that Dagster loads: what changed has a verdict of its own.
            'values.dagster-user-deployments.deployments.*.annotations["lotus.internal/definitions"]': _safe(),
            "values.dagster-user-deployments.deployments.*.image": _look("runs other code"),
            "values.retention": _look("keeps the records of sensors and schedules for another time"),
        },
    ),
}


# Providers

_HERE: Final = "may reach another server or account: everything that the stack has would be somewhere else"
_OTHER_PLACE: Final = Row(exposes(_HERE))
_OTHER_LOGIN: Final = _look("has other credentials, which may be of another account")


def _provider(rows: Mapping[str, Row]) -> Entry:
    """A provider. Any setting that is not known to be harmless may lead somewhere else."""
    common = {
        "version": _look("is of another version"),
        "name": _safe(),
    }
    return Entry(
        create=look("is a new connection to a server"),
        replace=exposes(f"is replaced: it {_HERE}"),
        # The objects of a provider are deleted by steps of their own.
        delete=SAFE,
        rows={**common, **rows},
        others=exposes(_HERE),
    )


_PROVIDERS: Final = {
    f"{PROVIDER}airbyte": _provider(
        {
            "serverUrl": _OTHER_PLACE,
            "configUrl": _OTHER_PLACE,
            "tokenUrl": _OTHER_PLACE,
            **dict.fromkeys(("clientId", "clientSecret", "username", "password", "bearerAuth"), _OTHER_LOGIN),
            "adoptExisting": _look("adopts existing objects in another way"),
        }
    ),
    f"{PROVIDER}aws": _provider(
        {
            "region": _OTHER_PLACE,
            "endpoints": _OTHER_PLACE,
            "s3UsePathStyle": _look("addresses buckets in another way"),
            "defaultTags": _safe(),
            **dict.fromkeys(
                (
                    *("skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation"),
                    *("skipRequestingAccountId", "maxRetries", "retryMode"),
                ),
                _look("checks or repeats its requests in another way"),
            ),
        }
    ),
    f"{PROVIDER}kubernetes": _provider(
        {
            "kubeconfig": _OTHER_PLACE,
            "context": _OTHER_PLACE,
            "enableSecretMutable": _look("replaces secrets that change, or updates them"),
            "upsertExistingObjects": _look("refuses to create an object that exists, or updates it"),
            "suppressDeprecationWarnings": _safe(),
            "suppressHelmHookWarnings": _safe(),
        }
    ),
}
TABLE: Final[Mapping[str, Entry]] = {**_AIRBYTE, **_DLT, **_AWS, **_KUBERNETES, **_PROVIDERS}
"""The verdicts by the engine's resource type."""
_UNLISTED_TYPE: Final = exposes("is of a type that the table of verdicts does not have, and may open data to others")
UNLISTED: Final = Entry(
    create=_UNLISTED_TYPE,
    replace=destroys("is replaced: the old one is deleted"),
    delete=destroys("is deleted"),
    others=_UNLISTED_TYPE,
)
"""The verdicts on a type that the table does not have."""
UNLISTED_PROVIDER: Final = _provider({})
"""The verdicts on a provider that the table does not have."""
NO_LONGER_PROTECTED: Final = destroys("is no longer protected from deletion")
NO_LONGER_RETAINED: Final = destroys("no longer stays when its resource is deleted")


# Judging


@dataclass(frozen=True, slots=True)
class Run:
    """What an update does to the owners of settings, and to providers.

    Attributes:
        created: owners that it creates, as pairs of type and identity; also by the name of their resource.
        gone: owners that it deletes or replaces, in the same way.
        providers: the configurations of the providers that it removes, by type.
        gone_secrets: the secrets of the sources that dlt no longer reads.
    """

    created: frozenset[tuple[str, str]]
    gone: frozenset[tuple[str, str]]
    providers: Mapping[str, Sequence[ResourceState]]
    gone_secrets: frozenset[str] = frozenset()

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Self:
        """The run of the main steps of a preview."""
        owners = [step for step in steps if step.type in _IDENTITIES]
        removed: dict[str, list[ResourceState]] = {}
        for step in steps:
            if is_provider(step) and step.op == "delete" and step.old is not None:
                removed.setdefault(step.type, []).append(step.old)
        return cls(
            created=frozenset(key for step in owners if step.op == "create" for key in _identities(step, step.new)),
            gone=frozenset(
                key
                for step in owners
                if (step.op == "delete" and not is_forgotten(step)) or step.op in REPLACES
                for key in _identities(step, step.old)
            ),
            providers=removed,
            gone_secrets=frozenset(
                naming.source_secret(step.name) for step in steps if step.type == DLT_SOURCE and step.op == "delete"
            ),
        )

    def has_new_owner(self, step: Step, owner: Owner) -> bool:
        """Whether the same update creates the owner of a setting."""
        return step.new is not None and _owner_key(owner, step, step.new) in self.created

    def has_no_owner(self, step: Step, owner: Owner) -> bool:
        """Whether the same update deletes the owner of a setting, which is a loss of its own."""
        return step.old is not None and _owner_key(owner, step, step.old) in self.gone


_IDENTITIES: Final = {owner.type: owner.identity for owner in (_OF_BUCKET, _OF_USER)}


def _identities(step: Step, state: ResourceState | None) -> Iterator[tuple[str, str]]:
    yield step.type, f"resource {step.name}"
    identity = state.inputs.get(_IDENTITIES[step.type]) if state is not None else None
    if isinstance(identity, str):
        yield step.type, identity


def _owner_key(owner: Owner, step: Step, state: ResourceState) -> tuple[str, str]:
    """The owner of a setting by the identity that it refers to, else by the name that they share."""
    link = state.inputs.get(owner.link)
    # The name of an owner that does not exist yet may be unknown until the update.
    return owner.type, link if isinstance(link, str) and link != UNKNOWN else f"resource {step.name}"


def entry_of(type_: str) -> Entry:
    """The verdicts on a type."""
    return TABLE.get(type_) or (UNLISTED_PROVIDER if type_.startswith(PROVIDER) else UNLISTED)


@cache
def rows_of(type_: str) -> Mapping[PropertyPath, Row]:
    """The rows of a type by their split paths."""
    return {parse_property_path(path): row for path, row in entry_of(type_).rows.items()}


def subject_of(step: Step) -> str:
    """The kind by which an acknowledgement names the step's object."""
    return entry_of(step.type).subject or kind_of(step)


def is_source_secret(step: Step) -> bool:
    """Whether the step is about the Kubernetes secret of a source that dlt reads, and no other of its name."""
    return step.type == _SECRET and f"{DLT_SOURCE}${_SECRET}::" in step.urn


def is_forgotten(step: Step) -> bool:
    """Whether a deletion only removes the object from the state."""
    return step.op == "delete" and step.old is not None and step.old.retain_on_delete


def findings(step: Step, run: Run) -> tuple[Finding, ...]:
    """The verdicts on a step, without repetitions, worst first; none if it changes nothing that matters."""
    if not (is_object(step) or is_provider(step)):
        return ()
    entry = entry_of(step.type)
    if entry.owner is not None and run.has_no_owner(step, entry.owner):
        return ()
    if step.op == "delete" and is_source_secret(step) and step.name in run.gone_secrets:
        return ()  # Only the runs of its source need it.
    found = dict.fromkeys([*_of_operation(step, entry, run), *_of_options(step)])
    return tuple(
        sorted((each for each in found if each != SAFE), key=lambda each: (EFFECTS.index(each.effect), each.what))
    )


def _of_operation(step: Step, entry: Entry, run: Run) -> Iterator[Finding]:
    if step.quiet:
        return
    if step.op == "create":
        yield from _of_creation(step, entry, run)
    elif step.op == "update":
        yield from _of_changes(step, entry)
    elif step.op == "delete":
        yield SAFE if is_forgotten(step) else entry.delete
    elif step.op in REPLACES:
        yield entry.replace
        yield from _of_changes(step, entry)
    elif step.op == "import":
        yield look("exists already, and belongs to the stack from now on")
    elif step.op in REPLACEMENT_PARTS:
        yield Finding(entry.replace.effect, f"is left over from an earlier replacement: {entry.replace.what}")
    else:
        yield look(f"has an operation of the engine that is not known: {step.op}")


def _of_options(step: Step) -> Iterator[Finding]:
    """Verdicts on options of the engine. Neither deletes anything now, but a later run may, without another warning."""
    if step.old is None or step.new is None:
        return
    if step.old.protect and not step.new.protect:
        yield NO_LONGER_PROTECTED
    if step.old.retain_on_delete and not step.new.retain_on_delete:
        yield NO_LONGER_RETAINED
    yield from rules.force_destroy(step.old.inputs.get("forceDestroy"), step.new.inputs.get("forceDestroy"))


def _of_creation(step: Step, entry: Entry, run: Run) -> Iterator[Finding]:
    yield entry.create
    if step.new is None:
        yield look("is created, but its properties are not shown")
        return
    if is_provider(step):
        # A newer version of a default provider is another resource: the old one is deleted in the same run.
        for old in run.providers.get(step.type, ()):
            yield from _of_states(step, old, step.new, entry)
        return
    has_owner = entry.owner is not None and not run.has_new_owner(step, entry.owner)
    for path, row in rows_of(step.type).items():
        compare = row.on_create if has_owner else row.on_new
        value = value_at(step.new.inputs, path)
        if compare is not None:
            yield from [row.finding] if _is_unseen(value) else compare(None, value)
    known = {path[0] for path in rows_of(step.type)}
    if not is_airbyte(step) and any(name not in known and name != "__defaults" for name in step.new.inputs):
        yield entry.others


def is_airbyte(step: Step) -> bool:
    """Whether the step is about an object in Airbyte."""
    return step.type.startswith("airbyte:")


def _of_changes(step: Step, entry: Entry) -> Iterator[Finding]:
    if step.old is None or step.new is None:
        yield look("changes, but its properties are not shown")
    else:
        yield from _of_states(step, step.old, step.new, entry)


def _of_states(step: Step, old: ResourceState, new: ResourceState, entry: Entry) -> Iterator[Finding]:
    """The verdicts on all differences of two states of an object."""
    seen = list(differences(dict(old.inputs), dict(new.inputs)))
    # The provider may compare with the live object, or see a difference in a secret: then both inputs look alike.
    unseen = [path for path in named_paths(step) if not any(each[: len(path)] == path for each in seen)]
    unseen = [path for path in unseen if not any(path[: len(each)] == each for each in seen)]
    if not seen and not unseen and step.op == "update":
        yield look("changes in a way that the engine does not name")
    done: set[PropertyPath] = set()
    for path, is_seen in [*((path, True) for path in seen), *((path, False) for path in unseen)]:
        matched = list(_matching(step.type, path))
        if not matched:
            yield entry.others
        for row, matching in matched:
            root = row.of or matching
            if row is IDENTITY:
                yield entry.replace
            elif row.compare is None:
                is_secret = row.secret is not None and (hides(old.inputs, path) or hides(new.inputs, path))
                yield row.secret if is_secret and row.secret is not None else row.finding
            elif root not in done:
                done.add(root)
                # A difference that the inputs do not show is one to the live object, which the outputs have.
                yield from _compared(row, root, old.inputs if is_seen else old.outputs, new.inputs, is_seen=is_seen)


def _compared(
    row: Row, root: PropertyPath, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue], *, is_seen: bool
) -> Iterator[Finding]:
    before, after = value_at(old, root), value_at(new, root)
    is_shown = is_seen or (before is not None and before != after)
    if row.compare is None or not is_shown or "*" in root or _is_unseen(dict(old), root) or _is_unseen(dict(new), root):
        yield row.finding
    else:
        yield from row.compare(before, after)


def _is_unseen(value: JsonValue, path: PropertyPath = ()) -> bool:
    """Whether a value at a path is secret or unknown until the update, or a part of such a value, or has one."""
    if value == UNKNOWN or is_hidden(value):
        return True
    if path:
        return _is_unseen(value_at(value, path[:1]), path[1:])
    return any(map(_is_unseen, parts(value).values()))


def _matching(type_: str, path: PropertyPath) -> Iterator[tuple[Row, PropertyPath]]:
    """The row of a path, and all rows below it, each with the part of the object that it is about."""
    by_path = rows_of(type_)
    above = [pattern for pattern in by_path if len(pattern) <= len(path) and _fits(pattern, path)]
    if above:
        longest = max(above, key=len)
        yield by_path[longest], path[: len(longest)]
    for pattern, row in by_path.items():
        if len(pattern) > len(path) and _fits(pattern, path):
            yield row, (*path, *pattern[len(path) :])


def _fits(pattern: PropertyPath, path: PropertyPath) -> bool:
    return all(mine in {"*", theirs} for mine, theirs in zip(pattern, path, strict=False))


def row_of(type_: str, path: PropertyPath) -> Row | None:
    """The row of a property; None without one."""
    return next((row for row, root in _matching(type_, path) if len(root) <= len(path)), None)


def differences(before: JsonValue, after: JsonValue, path: PropertyPath = ()) -> Iterator[PropertyPath]:
    """The paths of the smallest parts that differ. A missing part differs in each of the other one's parts."""
    old, new = parts(before), parts(after)
    is_entered = (old or _is_empty(before)) and (new or _is_empty(after)) and (old or new)
    if is_entered and not _are_of_two_forms(before, after):
        olds, news = old or {}, new or {}
        for key in sorted(olds.keys() | news.keys()):
            # A provider keeps here which properties it filled in; their values are properties themselves.
            if key != "__defaults":
                yield from differences(olds.get(key), news.get(key), (*path, key))
    # `True == 1` in Python, but not in JSON.
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield path


def _is_empty(value: JsonValue) -> bool:
    return value is None or (isinstance(value, dict | list) and not value)


def _are_of_two_forms(before: JsonValue, after: JsonValue) -> bool:
    return isinstance(before, list) != isinstance(after, list) and before is not None and after is not None
