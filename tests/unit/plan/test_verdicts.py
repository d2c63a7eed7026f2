"""Verdicts of `lotus gate` on changes of every kind of resource: losses and exposures by content, look for the rest."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.plan.analysis import impact_of
from lotus_infra.plan.impact import Impact, Loss
from lotus_infra.plan.preview import read_preview
from tests.support.previews import CONNECTION, DESTINATION, ORDERS, SOURCE, UNKNOWN, Digest, Stream, actor, connection

BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
USER, USER_POLICY = "aws:iam/user:User", "aws:iam/userPolicy:UserPolicy"
CLUSTER = "kubernetes:postgresql.cnpg.io/v1:Cluster"
OBJECT_STORE = "kubernetes:barmancloud.cnpg.io/v1:ObjectStore"
SCHEDULED = "kubernetes:postgresql.cnpg.io/v1:ScheduledBackup"
RELEASE = "kubernetes:helm.sh/v3:Release"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
IMAGE = "airbyte:index/sourceDefinition:SourceDefinition"
DESTINATION_IMAGE = "airbyte:index/destinationDefinition:DestinationDefinition"
MANIFEST = "airbyte:index/declarativeSourceDefinition:DeclarativeSourceDefinition"
TAG = "airbyte:index/tag:Tag"
AWS, KUBERNETES, AIRBYTE = (f"pulumi:providers:{name}" for name in ("aws", "kubernetes", "airbyte"))
Inputs = Mapping[str, Any]


def impact(digest: Digest) -> Impact:
    return impact_of(read_preview(digest.text()))


def update(type_: str, old: Inputs, new: Inputs, *paths: str) -> Impact:
    """The impact of an update whose differing paths the provider names, by default as their first parts."""
    named = paths or sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return impact(Digest().step("update", type_, "lake", old, new, *named))


def create(type_: str, new: Inputs) -> Impact:
    return impact(Digest().step("create", type_, "lake", None, new))


def rules(*rules: Inputs) -> Inputs:
    return {"bucket": "b", "rules": list(rules)}


def rule(**parts: Any) -> Inputs:
    return {"id": "raw", "status": "Enabled", "filter": {"prefix": "raw/"}, "expiration": {"days": 90.0}} | parts


def policy(*statements: Inputs) -> Inputs:
    return {"bucket": "b", "user": "u", "policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})}


TLS_ONLY = {
    "Sid": "TlsOnly",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
WRITE = {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": "arn:aws:s3:::b/raw/*"}
LIST = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}
BLOCKED = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)
STORE = {"destinationPath": "s3://backups/db", "s3Credentials": {"accessKeyId": {"name": "a", "key": "b"}}}
BACKUP = {"barmanObjectStore": STORE, "retentionPolicy": "30d"}


PLUGIN = "barman-cloud.cloudnative-pg.io"


def database(**spec: Any) -> Inputs:
    return {"spec": {"instances": 3.0, "storage": {"size": "10Gi"}, "imageName": "pg:16.2", "backup": BACKUP} | spec}


def archived(server: str = "db", **spec: Any) -> Inputs:
    """A database with the Barman Cloud plugin."""
    parameters = {"barmanObjectName": "db", "serverName": server}
    plugin = {"name": PLUGIN, "isWALArchiver": True, "parameters": parameters}
    return database(**{"backup": None, "plugins": [plugin]} | spec)


def place(retention: str | None = "30d", **configuration: Any) -> Inputs:
    """The object store of the Barman Cloud plugin."""
    return {"spec": {"configuration": STORE | configuration, "retentionPolicy": retention}}


def release(**values: Any) -> Inputs:
    return {"values": values}


INGRESS = {
    "enabled": True,
    "annotations": {"cert-manager.io/cluster-issuer": "a", "auth": "basic"},
    "dagsterWebserver": {"host": "a.example.com", "tls": {"enabled": True, "secretName": "tls"}},
}


def encrypted(algorithm: str) -> Inputs:
    return {"bucket": "b", "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}}]}


def transition(storage: str) -> Inputs:
    return rules(rule(transitions=[{"days": 30, "storageClass": storage}]))


def reading(stream: Stream) -> Inputs:
    """A connection with one stream."""
    return connection([stream])


def hashed(field: str) -> Stream:
    settings = {"targetField": field, "method": "SHA-256", "fieldNameSuffix": "_hashed"}
    return ORDERS.but(mappers=({"type": "hashing", "mapperConfiguration": settings},))


def manifest(url: str = "https://api.example.com", path: str = "/orders", **parts: Any) -> Inputs:
    """A connector's manifest that reads a path of a server."""
    requester = {"type": "HttpRequester", "url_base": url, "path": path}
    return {"name": "Store", "manifest": {"definitions": {"requester": requester}, **parts}}


def image(**parts: Any) -> Inputs:
    return {"name": "Store", "dockerRepository": "example/source-store", "dockerImageTag": "1.0.0"} | parts


DESTROYS: dict[str, tuple[str, Inputs, Inputs]] = {
    "a lifecycle rule for the whole bucket": (LIFECYCLE, rules(rule()), rules(rule(filter={"prefix": ""}))),
    "a lifecycle rule without a filter": (LIFECYCLE, rules(rule()), rules(rule(filter=None))),
    "a lifecycle rule for a shorter prefix": (LIFECYCLE, rules(rule()), rules(rule(filter={"prefix": "ra"}))),
    "a lifecycle rule for another prefix": (LIFECYCLE, rules(rule()), rules(rule(filter={"prefix": "lake/"}))),
    "a lifecycle rule that loses its tag": (
        LIFECYCLE,
        rules(rule(filter={"and": {"prefix": "raw/", "tags": {"old": "yes"}}})),
        rules(rule(filter={"prefix": "raw/"})),
    ),
    "a lifecycle rule that loses its size": (
        LIFECYCLE,
        rules(rule(filter={"and": {"prefix": "raw/", "objectSizeGreaterThan": 10}})),
        rules(rule(filter={"and": {"prefix": "raw/", "objectSizeGreaterThan": 5}})),
    ),
    "sooner days": (LIFECYCLE, rules(rule()), rules(rule(expiration={"days": 30}))),
    "an expiry by date": (LIFECYCLE, rules(rule()), rules(rule(expiration={"date": "2026-01-01T00:00:00Z"}))),
    "another rule of another name": (LIFECYCLE, rules(rule()), rules(rule(), rule(id="b", expiration={"days": 1}))),
    "a rule that is switched on": (LIFECYCLE, rules(rule(status="Disabled")), rules(rule())),
    "old versions that go sooner": (
        LIFECYCLE,
        rules(rule(expiration=None, noncurrentVersionExpiration={"noncurrentDays": 30})),
        rules(rule(expiration=None, noncurrentVersionExpiration={"noncurrentDays": 29})),
    ),
    "fewer old versions": (
        LIFECYCLE,
        rules(rule(expiration=None, noncurrentVersionExpiration={"noncurrentDays": 30, "newerNoncurrentVersions": 5})),
        rules(rule(expiration=None, noncurrentVersionExpiration={"noncurrentDays": 30})),
    ),
    "uploads that are aborted within a day": (
        LIFECYCLE,
        rules(rule()),
        rules(rule(), rule(id="u", expiration=None, abortIncompleteMultipartUpload={"daysAfterInitiation": 1})),
    ),
    "data that goes to an archive": (LIFECYCLE, rules(rule()), transition("DEEP_ARCHIVE")),
    "data that goes to an unknown class": (LIFECYCLE, rules(rule()), transition("FROZEN")),
    "a rule with an unknown key": (LIFECYCLE, rules(rule()), rules(rule(shred=True))),
    "a filter with an unknown key": (LIFECYCLE, rules(rule()), rules(rule(filter={"suffix": "x"}))),
    "an expiry with an unknown key": (LIFECYCLE, rules(rule()), rules(rule(expiration={"hours": 1}))),
    "rules that are known after the update": (LIFECYCLE, rules(rule()), {"bucket": "b", "rules": UNKNOWN}),
    "rules that are secret": (LIFECYCLE, rules(rule()), {"bucket": "b", "rules": "[secret]"}),
    "versioning that is suspended": (
        VERSIONING,
        {"versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
    ),
    "versions that anybody may delete": (
        VERSIONING,
        {"versioningConfiguration": {"status": "Enabled", "mfaDelete": "Enabled"}},
        {"versioningConfiguration": {"status": "Enabled", "mfaDelete": "Disabled"}},
    ),
    "a backup that is removed": (CLUSTER, database(), database(backup=None)),
    "a backup without a place": (CLUSTER, database(), database(backup={"retentionPolicy": "30d"})),
    "a backup that is kept shorter": (CLUSTER, database(), database(backup=BACKUP | {"retentionPolicy": "7d"})),
    "a backup that is kept shorter, in another unit": (
        CLUSTER,
        database(),
        database(backup=BACKUP | {"retentionPolicy": "4w"}),
    ),
    "a plugin's backup that is removed": (CLUSTER, archived(), archived(plugins=None)),
    "a plugin that no longer archives": (CLUSTER, archived(), archived(plugins=[{"name": PLUGIN}])),
    "a plugin that is switched off": (
        CLUSTER,
        archived(),
        archived(plugins=[archived()["spec"]["plugins"][0] | {"enabled": False}]),
    ),
    "another plugin": (CLUSTER, archived(), archived(plugins=[{"name": "a", "isWALArchiver": True}])),
    "a second plugin": (CLUSTER, archived(), archived(plugins=[*archived()["spec"]["plugins"], {"name": "a"}])),
    "a plugin's archive as another server": (CLUSTER, archived(), archived("other")),
    "a plugin's backups that are kept shorter": (OBJECT_STORE, place(), place("7d")),
    "a plugin's backups without a place": (OBJECT_STORE, place(), place(destinationPath=None)),
    "a plugin's backups that are encrypted in another way": (OBJECT_STORE, place(), place(wal={"encryption": "a"})),
    "a backup by another target": (CLUSTER, database(), database(backup=BACKUP | {"target": "primary"})),
    "fewer instances": (CLUSTER, database(), database(instances=1.0)),
    "a smaller volume": (CLUSTER, database(), database(storage={"size": "10G"})),
    "a volume of a strange size": (CLUSTER, database(), database(storage={"size": "big"})),
    "a suspended backup": (
        SCHEDULED,
        {"spec": {"schedule": "0 0 3 * * *"}},
        {"spec": {"schedule": "0 0 3 * * *", "suspend": True}},
    ),
    "a backup of another database": (
        SCHEDULED,
        {"spec": {"cluster": {"name": "a"}}},
        {"spec": {"cluster": {"name": "b"}}},
    ),
    "a bucket that may be emptied": (BUCKET, {"bucket": "b"}, {"bucket": "b", "forceDestroy": True}),
    "a stream whose cursor Airbyte drops": (
        CONNECTION,
        reading(ORDERS),
        reading(ORDERS.but(mode="full_refresh_append")),
    ),
    "a connector that may be deleted with sources of others": (IMAGE, image(), image(forceDestroy=True)),
    "rules of the bucket itself": (BUCKET, {}, {"lifecycleRules": [{"enabled": True, "expiration": {"days": 1}}]}),
}
EXPOSES: dict[str, tuple[str, Inputs, Inputs]] = {
    "a change of an unknown type": ("x:y/z:Thing", {"a": 1}, {"a": 2}),
    **{f"a public access block without {flag}": (BLOCK, BLOCKED, BLOCKED | {flag: False}) for flag in BLOCKED},
    "a public access block that leaves a flag out": (
        BLOCK,
        BLOCKED,
        {key: True for key in BLOCKED if key != "blockPublicAcls"},
    ),
    "a policy that no longer denies requests without TLS": (BUCKET_POLICY, policy(TLS_ONLY), policy()),
    "a policy that denies less": (BUCKET_POLICY, policy(TLS_ONLY), policy(TLS_ONLY | {"Action": "s3:GetObject"})),
    "a policy that denies some only": (BUCKET_POLICY, policy(TLS_ONLY), policy(TLS_ONLY | {"Principal": {"AWS": "1"}})),
    "a policy that allows everybody": (
        BUCKET_POLICY,
        policy(TLS_ONLY),
        policy(TLS_ONLY, WRITE | {"Principal": "*"}),
    ),
    "a policy that allows another account": (
        BUCKET_POLICY,
        policy(TLS_ONLY),
        policy(TLS_ONLY, WRITE | {"Principal": {"AWS": "arn:aws:iam::123:root"}}),
    ),
    "a policy whose first statements another reader may use": (
        BUCKET_POLICY,
        policy(TLS_ONLY),
        {"bucket": "b", "policy": f'{{"Statement": {json.dumps(WRITE)}, {json.dumps({"Statement": TLS_ONLY})[1:]}'},
    ),
    "a policy that is too deep to read": (BUCKET_POLICY, policy(TLS_ONLY), {"bucket": "b", "policy": "[" * 100_000}),
    "a policy whose variables become plain text": (
        BUCKET_POLICY,
        policy(TLS_ONLY | {"Resource": "arn:aws:s3:::b/${aws:username}"}),
        {
            "bucket": "b",
            "policy": json.dumps({"Statement": TLS_ONLY | {"Resource": "arn:aws:s3:::b/${aws:username}"}}),
        },
    ),
    "a policy that is no policy": (BUCKET_POLICY, policy(TLS_ONLY), {"bucket": "b", "policy": "{"}),
    "a policy of an unknown effect": (BUCKET_POLICY, policy(TLS_ONLY), policy(TLS_ONLY, TLS_ONLY | {"Effect": "deny"})),
    "a policy that is known after the update": (BUCKET_POLICY, policy(TLS_ONLY), {"bucket": "b", "policy": UNKNOWN}),
    "ACLs": (
        OWNERSHIP,
        {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "ObjectWriter"}},
    ),
    "another image of another publisher": (IMAGE, image(), image(dockerRepository="elsewhere/source-store")),
    "a connector of another workspace": (IMAGE, image(workspaceId="a"), image(workspaceId="b")),
    "a field that is no longer hashed": (CONNECTION, reading(hashed("email")), reading(ORDERS)),
    "a field that is hashed in place of another": (CONNECTION, reading(hashed("email")), reading(hashed("id"))),
    "a connector's manifest with another server": (MANIFEST, manifest(), manifest("https://api.example.net")),
    "a connector's manifest with one more server": (MANIFEST, manifest(), manifest(path="https://example.net/orders")),
    "a connector's manifest with a path of another server": (
        MANIFEST,
        manifest(),
        manifest(path="//example.net/orders"),
    ),
    "a connector's manifest that is secret": (MANIFEST, manifest(), {"name": "Store", "manifest": "[secret]"}),
    "a connector's manifest that is known later": (MANIFEST, manifest(), {"name": "Store", "manifest": UNKNOWN}),
    "a connector's manifest that is text": (MANIFEST, manifest(), {"name": "Store", "manifest": "version: 1"}),
    "no encryption": (ENCRYPTION, encrypted("AES256"), {"bucket": "b", "rules": []}),
    "an unknown encryption": (ENCRYPTION, encrypted("AES256"), encrypted("rot13")),
    "encryption without a key of its own": (ENCRYPTION, encrypted("aws:kms"), encrypted("AES256")),
    "a user that may do more": (USER_POLICY, policy(WRITE), policy(WRITE, LIST)),
    "a user that may do one thing more": (
        USER_POLICY,
        policy(WRITE),
        policy(WRITE | {"Action": [*WRITE["Action"], "s3:DeleteObject"]}),
    ),
    "a user that may do it in more places": (
        USER_POLICY,
        policy(WRITE),
        policy(WRITE | {"Resource": "arn:aws:s3:::b/*"}),
    ),
    "a user that may do anything": (USER_POLICY, policy(WRITE), policy(WRITE | {"Action": "*"})),
    "a user that may do all but a list": (
        USER_POLICY,
        policy(WRITE),
        policy(WRITE, {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
    ),
    "a user without a condition": (
        USER_POLICY,
        policy(WRITE | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
        policy(WRITE),
    ),
    "a user that is denied less": (USER_POLICY, policy(WRITE, TLS_ONLY), policy(WRITE)),
    "a user without its limit": (USER, {"name": "u", "permissionsBoundary": "arn"}, {"name": "u"}),
    "a bucket that is open by its ACL": (BUCKET, {"acl": "private"}, {"acl": "public-read"}),
    "a bucket that is copied elsewhere": (BUCKET, {}, {"replicationConfiguration": {"role": "r"}}),
    "a bucket that is a website": (BUCKET, {}, {"website": {"indexDocument": "i"}}),
    "backups to another bucket": (
        CLUSTER,
        database(),
        database(backup=BACKUP | {"barmanObjectStore": STORE | {"destinationPath": "s3://mine/db"}}),
    ),
    "backups to another server": (
        CLUSTER,
        database(),
        database(backup=BACKUP | {"barmanObjectStore": STORE | {"endpointURL": "https://s3.example.net"}}),
    ),
    "a plugin's backups in another bucket": (OBJECT_STORE, place(), place(destinationPath="s3://mine/db")),
    "a plugin's backups on another server": (OBJECT_STORE, place(), place(endpointURL="https://s3.example.net")),
    "a UI without TLS": (
        RELEASE,
        release(ingress=INGRESS),
        release(ingress=INGRESS | {"dagsterWebserver": {"host": "a.example.com"}}),
    ),
    "a UI that opens": (RELEASE, release(ingress={"enabled": False}), release(ingress=INGRESS)),
    "a UI without its login": (
        RELEASE,
        release(ingress=INGRESS),
        release(ingress=INGRESS | {"annotations": {"cert-manager.io/cluster-issuer": "a"}}),
    ),
    "a service that opens": (
        RELEASE,
        release(dagsterWebserver={"service": {"type": "ClusterIP"}}),
        release(dagsterWebserver={"service": {"type": "LoadBalancer"}}),
    ),
    "another region": (AWS, {"region": "eu-west-1"}, {"region": "us-east-1"}),
    "another account": (AWS, {"region": "a", "profile": "a"}, {"region": "a", "profile": "b"}),
    "another endpoint": (AWS, {"endpoints": '[{"s3":"https://a"}]'}, {"endpoints": '[{"s3":"https://b"}]'}),
    "requests without TLS": (AWS, {"region": "a"}, {"region": "a", "insecure": "true"}),
    "another cluster": (KUBERNETES, {"context": "a"}, {"context": "b"}),
    "another Airbyte": (AIRBYTE, {"serverUrl": "https://a"}, {"serverUrl": "https://b"}),
    "another place of tokens": (AIRBYTE, {}, {"tokenUrl": "https://b"}),
    "a provider's unknown setting": (AIRBYTE, {}, {"proxy": "https://b"}),
    "an unknown provider": ("pulumi:providers:gcp", {"project": "a"}, {"project": "b"}),
}
TOUCHES: dict[str, tuple[str, Inputs, Inputs]] = {
    "another major version of Postgres": (CLUSTER, database(), database(imageName="pg:17.0")),
    "an image of an unknown version": (CLUSTER, database(), database(imageName="pg@sha256:0")),
    "another database of Dagster": (
        RELEASE,
        release(postgresql={"postgresqlHost": "a"}),
        release(postgresql={"postgresqlHost": "b"}),
    ),
    "another bucket of runs": (
        RELEASE,
        release(runLauncher={"config": {"k8sRunLauncher": {"envVars": ["LOTUS_LANDING=s3://a"]}}}),
        release(runLauncher={"config": {"k8sRunLauncher": {"envVars": ["LOTUS_LANDING=s3://b"]}}}),
    ),
    "a connection that is switched off": (CONNECTION, connection(), connection(status="inactive")),
    "a connection that is switched on": (CONNECTION, connection(status="inactive"), connection()),
    "another namespace definition": (CONNECTION, connection(), connection(namespaceDefinition="source")),
    "a field that is hashed from now on": (CONNECTION, reading(ORDERS), reading(hashed("email"))),
    "every field": (CONNECTION, reading(ORDERS), reading(ORDERS.but(takes_all=True))),
    "some fields in place of every field": (CONNECTION, reading(ORDERS.but(takes_all=True)), reading(ORDERS)),
    "files of the source": (CONNECTION, reading(ORDERS), reading(ORDERS.but(others={"includeFiles": True}))),
    "another object of the destination": (
        CONNECTION,
        reading(ORDERS.but(others={"destinationObjectName": "Contact"})),
        reading(ORDERS.but(others={"destinationObjectName": "Lead"})),
    ),
    "another namespace of a stream": (
        CONNECTION,
        reading(ORDERS.but(namespace="public")),
        reading(ORDERS.but(namespace="app")),
    ),
    "another prefix": (CONNECTION, connection(), connection(prefix="p_")),
    "refreshes that delete rows": (CONNECTION, connection(), connection(refreshMode="truncate")),
    "another configuration": (SOURCE, actor({"start_date": "2025-01-01"}), actor({"start_date": "2024-01-01"})),
}
LOOKS: dict[str, tuple[str, Inputs, Inputs]] = {
    "a rule that archives data readably": (LIFECYCLE, rules(rule()), transition("GLACIER_IR")),
    "a policy that denies more": (BUCKET_POLICY, policy(), policy(TLS_ONLY)),
    "a user that may do less": (USER_POLICY, policy(WRITE, LIST), policy(WRITE)),
    "a user that may do it in fewer places": (
        USER_POLICY,
        policy(WRITE),
        policy(WRITE | {"Resource": "arn:aws:s3:::b/raw/shopify/*"}),
    ),
    "a larger volume": (CLUSTER, database(), database(storage={"size": "0.1Ti"})),
    "a backup where there was none": (CLUSTER, database(backup=None), database()),
    "backups by the plugin instead of the operator": (CLUSTER, database(), archived()),
    "backups by the operator instead of the plugin": (CLUSTER, archived(), database()),
    "a plugin where there was no backup": (CLUSTER, database(backup=None), archived()),
    "other credentials of a plugin's backups": (OBJECT_STORE, place(), place(s3Credentials={})),
    "another way of making backups": (SCHEDULED, {"spec": {}}, {"spec": {"method": "plugin"}}),
    "other credentials of backups": (
        CLUSTER,
        database(),
        database(backup=BACKUP | {"barmanObjectStore": STORE | {"s3Credentials": {}}}),
    ),
    "a minor version of Postgres": (CLUSTER, database(), database(imageName="pg:16.3")),
    "another host of the UI": (
        RELEASE,
        release(ingress=INGRESS),
        release(ingress=INGRESS | {"dagsterWebserver": INGRESS["dagsterWebserver"] | {"host": "b"}}),  # type: ignore[operator]
    ),
    "another image": (
        RELEASE,
        release(**{"dagster-user-deployments": {"deployments": [{"image": {"tag": "a"}}]}}),
        release(**{"dagster-user-deployments": {"deployments": [{"image": {"tag": "b"}}]}}),
    ),
    "another image of a connector": (IMAGE, image(), image(dockerImageTag="1.0.1")),
    "another image of a destination's connector": (DESTINATION_IMAGE, image(), image(dockerImageTag="1.0.1")),
    "another manifest of a connector": (MANIFEST, manifest(), manifest(path="/orders.json")),
    "other pods of a connector": (SOURCE, actor(), actor(resourceAllocation={"default": {"memoryLimit": "1Gi"}})),
    "other pods of a connection": (CONNECTION, connection(), connection(resourceRequirements={"memoryLimit": "1Gi"})),
    "another chart": (RELEASE, {"version": "1.0.0"}, {"version": "2.0.0"}),
    "a schedule by hand": (CONNECTION, connection(), connection(schedule={"scheduleType": "manual"})),
    "no schedule": (CONNECTION, connection(), {k: v for k, v in connection().items() if k != "schedule"}),
    "a property that is not in the table": (BUCKET, {}, {"colour": "red"}),
    "a number in the place of a flag": (BUCKET, {"colour": True}, {"colour": 1}),
}
SAFE: dict[str, tuple[str, Inputs, Inputs]] = {
    "another label": (SOURCE, actor(), actor(name="Shop")),
    "another schedule": (
        CONNECTION,
        connection(),
        connection(schedule={"scheduleType": "basic", "basicTiming": "Every 6 HOURS"}),
    ),
    "rules that are renamed": (LIFECYCLE, rules(rule()), rules(rule(id="b"))),
    "rules of fewer objects": (LIFECYCLE, rules(rule()), rules(rule(filter={"prefix": "raw/shopify/"}))),
    "rules that expire later": (LIFECYCLE, rules(rule()), rules(rule(expiration={"days": 91}))),
    "rules that are removed": (LIFECYCLE, rules(rule()), rules()),
    "a public access block that closes": (BLOCK, BLOCKED | {"blockPublicAcls": False}, BLOCKED),
    "a policy in another order": (
        BUCKET_POLICY,
        policy(TLS_ONLY, WRITE | {"Principal": "*"}),
        policy(WRITE | {"Principal": "*", "Sid": "b"}, TLS_ONLY),
    ),
    "versioning that starts": (
        VERSIONING,
        {"versioningConfiguration": {"status": "Suspended"}},
        {"versioningConfiguration": {"status": "Enabled"}},
    ),
    "more instances": (CLUSTER, database(), database(instances=4)),
    "a plugin's backups that are kept longer": (OBJECT_STORE, place(), place("31d")),
    "backups that are kept longer": (CLUSTER, database(), database(backup=BACKUP | {"retentionPolicy": "31d"})),
    "another name of a connector": (IMAGE, image(), image(name="Shop")),
    "another colour of a tag": (TAG, {"name": "daily", "color": "CAC7FF"}, {"name": "daily", "color": "000000"}),
    "tags of a connection": (CONNECTION, connection(), connection(tags=[{"tagId": UNKNOWN, "name": "daily"}])),
    "tags": (BUCKET, {"tags": {"a": "b"}}, {"tags": {"a": "c"}}),
    "filled-in defaults": (BUCKET, {"tags": {"a": "b", "__defaults": []}}, {"tags": {"a": "c", "__defaults": ["a"]}}),
    "new definitions of Dagster": (
        RELEASE,
        release(
            **{"dagster-user-deployments": {"deployments": [{"annotations": {"lotus.internal/definitions": "a"}}]}}
        ),
        release(
            **{"dagster-user-deployments": {"deployments": [{"annotations": {"lotus.internal/definitions": "b"}}]}}
        ),
    ),
}


@pytest.mark.parametrize("what", DESTROYS)
def test_a_loss_by_content_closes_the_gate(what: str) -> None:
    found = update(*DESTROYS[what])

    assert [loss.effect for loss in found.losses][:1] == ["destroys"], found
    assert found.verdict == "destroys"


@pytest.mark.parametrize("what", EXPOSES)
def test_an_exposure_closes_the_gate(what: str) -> None:
    found = update(*EXPOSES[what])

    assert {loss.effect for loss in found.losses} == {"exposes"}, found
    assert found.verdict == "exposes"


@pytest.mark.parametrize(
    ("verdict", "what"),
    [
        *(("touches data", each) for each in TOUCHES),
        *(("look", each) for each in LOOKS),
        *(("safe", each) for each in SAFE),
    ],
)
def test_other_changes_have_the_verdict_of_their_content(verdict: str, what: str) -> None:
    found = update(*(TOUCHES | LOOKS | SAFE)[what])

    assert found.losses == ()
    assert found.verdict == verdict


@pytest.mark.parametrize("what", [*DESTROYS, *EXPOSES, *TOUCHES, *LOOKS])
def test_a_change_that_the_engine_does_not_name_has_the_same_verdict(what: str) -> None:
    type_, old, new = (DESTROYS | EXPOSES | TOUCHES | LOOKS)[what]

    named = update(type_, old, new).verdict
    unnamed = impact(Digest().step("update", type_, "lake", old, new)).verdict

    assert unnamed == named or (old == new and unnamed == "look")


def losses(digest: Digest) -> list[tuple[str, str]]:
    return [(loss.object, loss.effect) for loss in impact(digest).losses]


@pytest.mark.parametrize(
    ("type_", "op", "loss"),
    [
        (RELEASE, "replace", ("Release lake", "destroys")),
        (RELEASE, "delete", ("Release lake", "destroys")),
        (RELEASE, "import-replacement", ("Release lake", "destroys")),
        (STATEFUL_SET, "replace", ("StatefulSet lake", "destroys")),
        (SCHEDULED, "delete", ("ScheduledBackup lake", "destroys")),
        (SCHEDULED, "replace", ("ScheduledBackup lake", "destroys")),
        (BLOCK, "delete", ("bucket lake", "exposes")),
        (BUCKET_POLICY, "delete", ("bucket lake", "exposes")),
        (OWNERSHIP, "delete", ("bucket lake", "exposes")),
        (ENCRYPTION, "delete", ("bucket lake", "exposes")),
        (VERSIONING, "delete", ("bucket lake", "destroys")),
        (LIFECYCLE, "delete", ("bucket lake", "destroys")),
        (IMAGE, "delete", ("connector lake", "destroys")),
        (IMAGE, "replace", ("connector lake", "destroys")),
        (DESTINATION_IMAGE, "delete", ("connector lake", "destroys")),
        (MANIFEST, "delete", ("connector lake", "destroys")),
        (MANIFEST, "replace", ("connector lake", "destroys")),
        ("x:y/z:Thing", "delete", ("Thing lake", "destroys")),
        (AWS, "replace", ("aws provider lake", "exposes")),
        # An earlier run has replaced it, and did not come to the deletion of the old one.
        (BUCKET, "delete-replaced", ("bucket lake", "destroys")),
        (BUCKET, "create-replacement", ("bucket lake", "destroys")),
    ],
)
def test_a_deletion_or_replacement_is_lost_or_exposed_by_its_type(type_: str, op: str, loss: tuple[str, str]) -> None:
    new = None if op in {"delete", "delete-replaced"} else {"a": 2}

    assert set(losses(Digest().step(op, type_, "lake", {"a": 2}, new, "a"))) == {loss}


@pytest.mark.parametrize("op", ["transmogrify", "extend-parameterize"])
def test_an_operation_that_is_not_known_is_looked_at(op: str) -> None:
    for type_ in (BUCKET, SOURCE, CONNECTION, DESTINATION, "x:y/z:Thing", AWS):
        inputs = connection() if type_ == CONNECTION else {}
        assert impact(Digest().step(op, type_, "lake", inputs, inputs)).verdict in {"look", "touches data"}


@pytest.mark.parametrize(
    "op",
    ["same", "read", "read-replacement", "refresh", "discard", "discard-replaced", "remove-pending-replace", "diff"],
)
def test_an_operation_on_the_state_alone_changes_nothing(op: str) -> None:
    assert impact(Digest().step(op, BUCKET, "lake", {"bucket": "a"}, {"bucket": "a"})).verdict == "nothing changes"


def test_a_leftover_is_lost_beside_another_change_of_the_same_resource() -> None:
    digest = Digest().step("update", BUCKET, "lake", {}, {"tags": {}}, "tags")

    assert losses(digest.step("delete-replaced", BUCKET, "lake", {})) == [("bucket lake", "destroys")]


def test_an_update_without_a_difference_is_looked_at() -> None:
    for type_, inputs in ((BUCKET, {}), (SOURCE, actor()), (CONNECTION, connection()), (AWS, {})):
        found = impact(Digest().step("update", type_, "lake", inputs, inputs))
        assert (found.verdict, found.losses) == ("look", ())


def test_a_difference_to_the_live_object_is_compared_with_the_live_object() -> None:
    """The inputs are alike in code and state, and the provider's outputs have what somebody set outside."""
    wanted = {"versioningConfiguration": {"status": "Enabled"}}
    digest = Digest().step("update", VERSIONING, "lake", wanted, wanted, "versioningConfiguration.status")
    assert losses(digest) == [("bucket lake", "destroys")], "the preview does not show the other value"

    step = dict(digest.steps[0])
    step["oldState"] = {**step["oldState"], "outputs": {"versioningConfiguration": {"status": "Suspended"}}}
    digest.steps = [step]
    assert impact(digest).verdict == "safe"


def test_a_coarse_path_counts_for_everything_below_it() -> None:
    hidden = {"spec": "[secret]"}

    for old, new in ((hidden, hidden), (database(), hidden), (hidden, database()), (database(), {"spec": UNKNOWN})):
        assert [loss.effect for loss in update(CLUSTER, old, new, "spec").losses].count("destroys") >= 3


def test_a_secret_setting_of_a_provider_may_lead_elsewhere() -> None:
    hidden = {"kubeconfig": "[secret]"}

    assert update(KUBERNETES, hidden, hidden, "kubeconfig").verdict == "exposes"
    assert update(AIRBYTE, {"password": "[secret]"}, {"password": "[secret]"}, "password").verdict == "look"


def test_settings_of_a_new_bucket_lose_nothing_but_may_expose() -> None:
    bucket = {"bucket": "b"}
    settings: dict[str, Inputs] = {
        LIFECYCLE: rules(rule(expiration={"days": 1})),
        VERSIONING: bucket | {"versioningConfiguration": {"status": "Enabled"}},
        BLOCK: bucket | BLOCKED,
        BUCKET_POLICY: policy(TLS_ONLY),
        OWNERSHIP: bucket | {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        ENCRYPTION: encrypted("AES256"),
    }
    for link in ("b", UNKNOWN):
        fresh = Digest().step("create", BUCKET, "lake", None, bucket)
        for type_, inputs in settings.items():
            fresh.step("create", type_, "lake", None, {**inputs, "bucket": link})
        assert losses(fresh) == []

    opening: list[Inputs] = [{"website": {}}, {"corsRules": [{}]}, {"grants": [{}]}, {"replicationConfiguration": {}}]
    for each in opening:
        assert create(BUCKET, {**bucket, **each}).verdict == "exposes"
    opened = Digest().step("create", BUCKET, "lake", None, bucket | {"acl": "public-read"})
    opened.step("create", BLOCK, "lake", None, bucket | BLOCKED | {"ignorePublicAcls": False})
    opened.step("create", BUCKET_POLICY, "lake", None, policy(WRITE | {"Principal": "*"}))
    assert losses(opened) == [("bucket lake", "exposes")] * 3

    of_another = Digest().step("create", BUCKET, "other", None, {"bucket": "c"})
    assert losses(of_another.step("create", LIFECYCLE, "lake", None, settings[LIFECYCLE])) == [
        ("bucket lake", "destroys")
    ]


def test_a_new_identity_with_limited_rights_is_looked_at_and_one_without_limits_exposes() -> None:
    def made(*statements: Inputs) -> Impact:
        digest = Digest().step("create", USER, "writer", None, {"name": "u"})
        return impact(digest.step("create", USER_POLICY, "writer", None, policy(*statements)))

    assert (made(WRITE, LIST).verdict, made(WRITE, LIST).losses) == ("look", ())
    for wide in (
        {"Action": "s3:*"},
        {"Resource": "*"},
        {"Resource": "arn:aws:s3:::*/raw"},
        {"Action": None, "NotAction": "a"},
    ):
        assert made(WRITE | wide).verdict == "exposes", wide
    assert create(USER_POLICY, policy(WRITE)).verdict == "exposes", "the user exists already"


def test_a_deleted_bucket_is_one_loss_with_its_settings() -> None:
    digest = Digest().step("delete", BUCKET, "lake", {"bucket": "b"})
    for type_ in (BLOCK, BUCKET_POLICY, VERSIONING, LIFECYCLE):
        digest.step("delete", type_, "lake", {"bucket": "b"})

    assert losses(digest) == [("bucket lake", "destroys")]


def test_settings_that_a_run_leaves_alone_lose_nothing() -> None:
    assert losses(Digest().step("delete", BLOCK, "state", {"bucket": "b"}, retainOnDelete=True)) == []


def test_a_provider_of_a_newer_version_may_not_lead_elsewhere() -> None:
    def upgraded(url: str) -> Impact:
        digest = Digest().step("create", AIRBYTE, "default_2_0_0", None, {"serverUrl": url, "version": "2.0.0"})
        old = {"serverUrl": "https://a", "version": "1.0.0"}
        return impact(digest.step("delete", AIRBYTE, "default_1_0_0", old))

    assert (upgraded("https://a").verdict, upgraded("https://a").losses) == ("look", ())
    assert [loss.object for loss in upgraded("https://b").losses] == ["airbyte provider default_2_0_0"]


def test_a_default_provider_which_the_engine_shows_no_step_of_reports_its_settings_itself() -> None:
    def reported(settings: str) -> Impact:
        return impact(Digest().said(f"its settings change: {settings}", AIRBYTE, "default"))

    assert [loss.object for loss in reported("serverUrl").losses] == ["airbyte provider default"]
    assert [loss.effect for loss in reported("clientSecret, tokenUrl").losses] == ["exposes"]
    assert reported("a new setting").verdict == "exposes"
    assert (reported("clientSecret").verdict, reported("clientSecret").losses) == ("look", ())
    of_an_object = Digest().said("its settings change: serverUrl", SOURCE, "shopify")
    assert impact(of_an_object).verdict == "nothing changes"


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ("protect", "is no longer protected from deletion"),
        ("retainOnDelete", "no longer stays when its resource is deleted"),
    ],
)
def test_an_option_that_keeps_an_object_may_not_go_unseen(option: str, what: str) -> None:
    for type_, op in ((BUCKET, "same"), (SOURCE, "update"), ("x:y/z:Thing", "same")):
        digest = Digest().step(op, type_, "lake", {"name": "a"}, {"name": "a"}, **{option: True})
        assert what in [loss.what for loss in impact(digest).losses]


@pytest.mark.parametrize("option", ["protect", "retainOnDelete"])
@pytest.mark.parametrize("type_", [BUCKET, SOURCE, CONNECTION, DESTINATION])
def test_a_refresh_before_the_program_hides_no_change_of_an_option(option: str, type_: str) -> None:
    """`lotus preview` and `lotus deploy` refresh first: an object has a step `refresh`, then one of the program."""
    inputs = {"name": "a"}
    digest = Digest()
    digest.step("refresh", type_, "lake", inputs, inputs, **{option: True})
    digest.steps[-1]["newState"][option] = True
    digest.step("same", type_, "lake", inputs, inputs, **{option: True})

    assert impact(digest).verdict == "destroys"


def test_a_bucket_and_its_settings_that_lose_their_protection_are_one_loss() -> None:
    digest = Digest()
    for type_ in (BUCKET, VERSIONING, OWNERSHIP):
        digest.step("same", type_, "lake", {"bucket": "a"}, {"bucket": "a"}, protect=True)

    assert [loss.object for loss in impact(digest).losses] == ["bucket lake"]


def test_an_exposure_names_what_it_opens() -> None:
    [loss] = update(*EXPOSES["a policy that allows everybody"]).losses

    assert loss == Loss("bucket", "lake", "allows others s3:GetObject, s3:PutObject by its policy", effect="exposes")


TEXTS = st.sampled_from(["", "raw/", "raw/a/", "lake/", "r"])
DAYS = st.one_of(st.none(), st.integers(1, 400))


@st.composite
def lifecycle_rules(draw: st.DrawFn) -> list[Inputs]:
    return [
        {
            "id": str(number),
            "status": draw(st.sampled_from(["Enabled", "Disabled"])),
            "filter": {"prefix": draw(TEXTS)},
            "expiration": {"days": draw(DAYS)},
            "noncurrentVersionExpiration": {"noncurrentDays": draw(DAYS)},
        }
        for number in range(draw(st.integers(0, 3)))
    ]


def _deleted_at(rules: list[Inputs], key: str, part: str, days: str) -> float:
    """Days after which S3 deletes an object of a key: the earliest of all rules that apply to it."""
    found = [
        each[part][days]
        for each in rules
        if each["status"] == "Enabled" and key.startswith(each["filter"]["prefix"]) and each[part][days] is not None
    ]
    return min(found, default=float("inf"))


@given(lifecycle_rules(), lifecycle_rules())
def test_lifecycle_rules_are_safe_only_if_every_object_stays_as_long_as_before(
    before: list[Inputs], after: list[Inputs]
) -> None:
    parts = (("expiration", "days"), ("noncurrentVersionExpiration", "noncurrentDays"))
    keys = ("x", "r", "raw/", "raw/a/b", "raw/c", "lake/t")
    sooner = any(_deleted_at(after, key, *part) < _deleted_at(before, key, *part) for key in keys for part in parts)

    found = update(LIFECYCLE, rules(*before), rules(*after), "rules")

    if sooner:
        assert found.verdict == "destroys"


ACTIONS = st.sets(st.sampled_from(["s3:GetObject", "s3:Get*", "s3:PutObject", "s3:*", "S3:getobject"]), min_size=1)
PLACES = st.sets(st.sampled_from(["arn:aws:s3:::b/*", "arn:aws:s3:::b/raw/*", "arn:aws:s3:::b/raw/x"]), min_size=1)
STATEMENTS = st.lists(
    st.builds(
        lambda effect, actions, places: {"Effect": effect, "Action": sorted(actions), "Resource": sorted(places)},
        st.sampled_from(["Allow", "Deny"]),
        ACTIONS,
        PLACES,
    ),
    max_size=3,
)


def _may(statements: list[Inputs], action: str, place: str) -> bool:
    """IAM's own evaluation of one request, written again from its documentation."""

    def fits(pattern: str, text: str) -> bool:
        return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None

    matching = {
        each["Effect"]
        for each in statements
        if any(fits(given.lower(), action.lower()) for given in each["Action"])
        and any(fits(given, place) for given in each["Resource"])
    }
    return "Allow" in matching and "Deny" not in matching


@given(STATEMENTS, STATEMENTS)
def test_a_policy_is_not_an_exposure_only_if_no_request_is_allowed_that_was_not(
    before: list[Inputs], after: list[Inputs]
) -> None:
    requests = [
        (action, place)
        for action in ("s3:GetObject", "s3:GetBucket", "s3:PutObject", "s3:DeleteObject")
        for place in ("arn:aws:s3:::b/x", "arn:aws:s3:::b/raw/x", "arn:aws:s3:::b/raw/y")
    ]
    more = any(_may(after, *each) and not _may(before, *each) for each in requests)

    found = update(USER_POLICY, policy(*before), policy(*after), "policy")

    if more:
        assert found.verdict == "exposes"
