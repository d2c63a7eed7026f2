"""Comments on pull requests: a preview in, what people read out. `tests/support/previews.py` makes the previews."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lotus_infra.commands.comment import comment_document, render
from lotus_infra.commands.output import LIMIT
from lotus_infra.commands.review import Review, load_preview, touched_streams
from lotus_infra.dbt.project import load_project
from lotus_infra.lake.lake import SourceFolder
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.models import NamedConnectionConfig, SourceConfig
from lotus_infra.lineage import downstream
from lotus_infra.naming import LOSS_LABEL
from lotus_infra.plan.addresses import Files, targets
from lotus_infra.plan.analysis import impact_of, main_steps
from lotus_infra.plan.gate import gate
from lotus_infra.plan.impact import History
from lotus_infra.plan.preview import read_preview
from tests.support.golden import assert_matches
from tests.support.lakes import OWN_STREAMS
from tests.support.previews import (
    CONNECTION,
    CUSTOMERS,
    DESTINATION,
    DLT_SOURCE,
    ERP_SECRET,
    KLAVIYO,
    ORDERS,
    REFUNDS,
    S3,
    SECRET,
    SHOPIFY,
    SOURCE,
    STREAMS,
    UNKNOWN,
    Digest,
    Inputs,
    Stream,
    actor,
    connection,
    read_by_dlt,
)

BLESSED = Path(__file__).parent / "blessed" / "comments"
S3_PLACE = {"access_key_id": "[secret]", "s3_bucket_name": "landing", "secret_access_key": "[secret]"}
SHOP = {"credentials": {"api_password": "[secret]"}, "shop": "a-store", "start_date": "2025-12-25"}
BUCKET, RELEASE = "aws:s3/bucket:Bucket", "kubernetes:helm.sh/v3:Release"
DATABASE = "kubernetes:postgresql.cnpg.io/v1:Cluster"
POSTGRES = "decd338e-5647-4c0b-adf4-da0e75f5a750"
"""A definition that the lake does not pin."""
LAKE = load_lake(OWN_STREAMS).lake
LANDING = {"bucket": "example-lake-landing", "endpoint": "", "prefix": "raw", "region": "us-west-1"}
VALUES = {f"$landing {part}": value for part, value in LANDING.items()}
FILES = Files(LAKE, VALUES)
HOSTILE = "a`|b|`@octocat <img src=x onerror=alert(1)>\n\n# [x](http://x) </details> --> #1"


def connected(*streams: Stream, **overrides: object) -> Digest:
    """An update of Shopify's connection to these streams, and to these inputs."""
    places = ["configurations"] if streams else list(overrides)
    return Digest().step(
        "update", CONNECTION, "shopify", connection(), connection(streams or STREAMS, **overrides), *places
    )


def replaced(definition: str = SHOPIFY) -> Digest:
    """Another source in the place of Shopify's, and so another connection."""
    ends = connection(sourceId=UNKNOWN)
    return (
        Digest()
        .step("replace", SOURCE, "shopify", actor(), actor(definitionId=definition, workspaceId="w-2"), "workspaceId")
        .step("replace", CONNECTION, "shopify", connection(), ends, "sourceId")
    )


def with_token() -> Digest:
    asked = connection(backfills={"orders": "2026-02-01-reprice"})
    digest = Digest().step("update", CONNECTION, "shopify", connection(), asked, "backfills.orders")
    return digest.said("will refresh orders (token 2026-02-01-reprice)", CONNECTION, "shopify")


def source_gone() -> Digest:
    digest = Digest().step("delete", CONNECTION, "shopify", connection())
    return digest.step("delete", SOURCE, "shopify", actor()).step("delete", "lotus:airbyte:Pipeline", "shopify", {})


def destination_moved() -> Digest:
    old = actor(S3_PLACE, definitionId=S3, name="S3")
    new = actor({**S3_PLACE, "s3_bucket_name": "other"}, definitionId=S3, name="S3")
    return Digest().step("update", DESTINATION, "s3", old, new, "configuration.s3_bucket_name")


def bucket_gone() -> Digest:
    digest = (
        Digest()
        .step("delete", BUCKET, "landing", {"bucket": "landing"})
        .step("delete", BUCKET, "state", {}, retainOnDelete=True)
    )
    rules = [{"expiration": {"days": 30}, "id": "expired-raw", "status": "Enabled"}]
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    return digest.step("update", kind, "backup", {"rules": []}, {"rules": rules}, "rules")


def dagster_changed() -> Digest:
    paths = ("values.dagsterWebserver.replicaCount", 'values["dagster-user-deployments"].deployments[0].image.tag')
    return (
        Digest()
        .step("update", RELEASE, "dagster", {"values": {}}, {"values": {}}, *paths)
        .step(
            "replace", DATABASE, "dagster-db", {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}, "metadata.name"
        )
        .step(
            "update",
            "kubernetes:core/v1:Secret",
            "dagster-lake",
            {"stringData": "[secret]"},
            {"stringData": "[secret]"},
            "stringData",
        )
        .step("same", DATABASE, "ducklake-db", {}, {}, protect=True)
    )


def failed() -> Digest:
    said = "error: streams/shopify/orders.json:4: sync_mode: is none of full_refresh, incremental"
    return Digest().said(said, severity="error")


def namesake_added() -> Digest:
    """A state of the version that kept a stream under its name alone; a second stream of that name comes."""
    sales, hr = (ORDERS.but(namespace=namespace) for namespace in ("sales", "hr"))
    old = connection([sales], backfills={"orders": "t1"})
    new = connection([sales, hr], backfills={'["sales","orders"]': "t1"})
    return Digest().step("update", CONNECTION, "shopify", old, new, "configurations")


def streams_secret() -> Digest:
    digest = connected(configurations="[secret]")
    return digest.said("customers: ~ mappers", CONNECTION, "shopify")


def many(sources: int, streams: int = 3, fields: int = 40) -> Digest:
    digest = Digest()
    for number in range(sources):
        wide = [
            Stream(f"stream_{index}", fields=tuple(f"field_{index}_{each}" for each in range(fields)))
            for index in range(streams)
        ]
        digest.step("create", SOURCE, f"source_{number:03}", None, actor())
        digest.step("create", CONNECTION, f"source_{number:03}", None, connection(wide))
        old, new = connection(wide), connection([each.but(fields=(*each.fields, "id")) for each in wide])
        digest.step("update", CONNECTION, f"wide_{number:03}", old, new, "configurations")
    return digest


def hostile() -> Digest:
    bad = Stream(HOSTILE, fields=(HOSTILE, "id"))
    digest = Digest(stack="prod --> <b>")
    digest.step(
        "update",
        CONNECTION,
        HOSTILE,
        connection([bad]),
        connection([bad.but(fields=("id",), cursor=HOSTILE)]),
        "configurations",
    )
    digest.step("delete", SOURCE, HOSTILE, actor())
    digest.step(
        "update", DESTINATION, "s3", actor({"path": HOSTILE}), actor({"path": "```\n@octocat"}), "configuration.path"
    )
    return digest.said("```\n</details> @octocat\x1b[31m", CONNECTION, HOSTILE)


def changed(old: Inputs, new: Inputs, *paths: str, **overrides: object) -> Digest:
    """An update of the configuration of Shopify's source."""
    places = [f"configuration.{path}" for path in paths]
    return Digest().step("update", SOURCE, "shopify", actor(old, **overrides), actor(new, **overrides), *places)


def shop_hidden() -> Digest:
    hidden = {"credentials": {"api_password": "[secret]"}, "shop": "[secret]", "start_date": "2025-12-25"}
    return changed(hidden, hidden, "shop")


def configuration_hidden() -> Digest:
    hidden = {**actor(), "configuration": "[secret]"}
    return Digest().step("update", SOURCE, "shopify", hidden, hidden, "configuration")


def bucket_hidden() -> Digest:
    old = actor(S3_PLACE, definitionId=S3, name="S3")
    new = actor({**S3_PLACE, "s3_bucket_name": "[secret]"}, definitionId=S3, name="S3")
    paths = ("configuration.s3_bucket_name", "configuration.secret_access_key")
    return Digest().step("update", DESTINATION, "s3", old, new, *paths)


def database_added() -> Digest:
    """A source of a connector that isn't pinned, with a password in an address."""
    configuration = {
        "database": "shop",
        "host": "db.example.com",
        "password": "[secret]",
        "port": 5432,
        "schemas": ["public", "sales"],
        "jdbc_url_params": "sslmode=require&password=hunter2",
        "replication_method": {"method": "Standard"},
        "ssl": True,
        "username": "[secret]",
    }
    digest = Digest().step(
        "create", SOURCE, "database", None, actor(configuration, definitionId=POSTGRES, name="Database")
    )
    return digest.step("create", CONNECTION, "database", None, connection([ORDERS], namespaceFormat="database"))


def secret_shared() -> Digest:
    """A new source of Klaviyo's connector, beside the existing one that reads the same secret."""
    configuration = {"api_key": "[secret]", "endpoint": "https://klaviyo.example.net"}
    digest = Digest().step("create", SOURCE, "klaviyo_eu", None, actor(configuration, definitionId=KLAVIYO))
    return digest.step("create", CONNECTION, "klaviyo_eu", None, connection([ORDERS], namespaceFormat="klaviyo_eu"))


def lake_with_two_klaviyos() -> Files:
    [klaviyo] = [source for source in LAKE.sources if source.name == "klaviyo"]
    return Files(replace(LAKE, sources=(*LAKE.sources, replace(klaviyo, name="klaviyo_eu"))), VALUES)


def lake_with_a_borrowed_secret() -> Files:
    """Shopify's file refers to the secret of Klaviyo."""
    [shopify] = [source for source in LAKE.sources if source.name == "shopify"]
    assert shopify.config is not None
    credentials = {"auth_method": "api_password", "api_password": {"$secret": "klaviyo_api_key"}}
    config = shopify.config.model_copy(update={"configuration": {"shop": "a-store", "credentials": credentials}})
    others = [source for source in LAKE.sources if source.name != "shopify"]
    return Files(replace(LAKE, sources=(*others, replace(shopify, config=config))), VALUES)


def lake_with_connections() -> Files:
    """Shopify's file has several connections to the same destination."""
    [shopify] = [source for source in LAKE.sources if source.name == "shopify"]
    assert shopify.config is not None
    connections = {name: NamedConnectionConfig(destination="s3") for name in ("shopify", "nightly", "slow")}
    config = shopify.config.model_copy(update={"connections": connections})
    others = [source for source in LAKE.sources if source.name != "shopify"]
    return Files(replace(LAKE, sources=(*others, replace(shopify, config=config))), VALUES)


def destination_added() -> Digest:
    configuration = {
        **S3_PLACE,
        "file_name_pattern": "part_{part_number}.parquet",
        "format": {"format_type": "Parquet", "page_size_kb": 1024},
        "s3_bucket_path": "raw",
        "s3_bucket_region": "us-west-1",
        "s3_endpoint": "https://key:word@s3.example.com:9000/?token=abc",
    }
    return Digest().step("create", DESTINATION, "s3", None, actor(configuration, definitionId=S3, name="S3"))


def connection_moved() -> Digest:
    new = connection(destinationId="destination-2")
    return (
        Digest()
        .step("replace", CONNECTION, "shopify", connection(), new, "destinationId")
        .step("same", SOURCE, "shopify", actor(), actor())
    )


def long_values() -> Digest:
    long = "https://a-store.example.com/" + "very-long-path/" * 12
    old = {"shop": f"{long}orders", "filters": [f"item-{number:03}" for number in range(60)]}
    new = {"shop": f"{long}0rders", "filters": [*old["filters"][:41], "item-o41", *old["filters"][42:]]}
    return changed(old, new, "filters", "shop")


def lookalikes() -> Digest:
    old = {"shop": "apple-store", "site": "a b", "tenant": "main", "company": "paypal", "path": "raw/data"}
    new = {
        "shop": "\N{CYRILLIC SMALL LETTER A}pple-store",
        "site": "a  b ",
        "tenant": "ma\N{ZERO WIDTH SPACE}in",
        "company": "PayPal",
        "path": "raw/\N{RIGHT-TO-LEFT OVERRIDE}atad",
    }
    return changed(old, new, *new)


def tunnel_added() -> Digest:
    old = {"host": "db.example.com", "tunnel_method": {"tunnel_method": "NO_TUNNEL"}}
    tunnel = {
        "tunnel_method": "SSH_KEY_AUTH",
        "tunnel_host": "jump.example.net",
        "tunnel_port": 22,
        "ssh_key": "[secret]",
    }
    return changed(old, {**old, "tunnel_method": tunnel}, "tunnel_method", definitionId=POSTGRES)


HASHING = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
HASHED = ORDERS.but(mappers=({"type": "hashing", "mapperConfiguration": HASHING},))


def stream_moved() -> Digest:
    """A stream leaves one connection of its source for another, which writes elsewhere."""
    other = {"destinationId": "destination-1", "namespaceFormat": "nightly"}
    return (
        Digest()
        .step("update", CONNECTION, "shopify", connection(), connection([CUSTOMERS, REFUNDS]), "configurations")
        .step("create", CONNECTION, "shopify/nightly", None, connection([ORDERS], **other))
    )


def connections_added() -> Digest:
    """A database with two schemas, whose streams go to two destinations on two schedules."""
    users, orders = (Stream(name, namespace=space) for name, space in (("users", "app"), ("orders", "public")))
    configuration = {"host": "db.example.com", "password": "[secret]"}
    digest = Digest().step("create", SOURCE, "shop_db", None, actor(configuration, definitionId=POSTGRES))
    hourly = connection([users, orders], namespaceFormat="shop_${SOURCE_NAMESPACE}", prefix="v1_")
    daily = connection(
        [orders], namespaceDefinition="source", destinationId="destination-2", status="inactive", tags=TAGS[:1]
    )
    digest.step("create", CONNECTION, "shop_db/daily", None, daily)
    return digest.step("create", CONNECTION, "shop_db/hourly", None, hourly)


def connection_renamed() -> Digest:
    settings = {"resourceRequirements": {"memoryLimit": "2Gi"}, "status": "inactive", "tags": TAGS}
    return (
        Digest()
        .step("same", SOURCE, "shopify", actor(), actor())
        .step("delete", CONNECTION, "shopify/daily", connection([CUSTOMERS, ORDERS]))
        .step("create", CONNECTION, "shopify/nightly", None, connection([CUSTOMERS, ORDERS]))
        .step(
            "update",
            CONNECTION,
            "shopify/slow",
            connection([REFUNDS], tags=TAGS[:1]),
            connection([REFUNDS], **settings),
            "resourceRequirements",
            "status",
            "tags",
        )
    )


TAGS = [{"tagId": f"tag-{name}", "name": name, "color": "CAC7FF", "workspaceId": "w"} for name in ("daily", "finance")]


def connectors_changed() -> Digest:
    image, manifest = (f"airbyte:index/{kind}" for kind in ("sourceDefinition:SourceDefinition", DECLARATIVE))
    requester = {"url_base": "https://api.example.com", "path": "/orders"}
    definition = {"name": "Store", "dockerRepository": "example/source-store", "dockerImageTag": "1.0.0"}
    moved = {"definitions": {"requester": requester | {"url_base": "https://api.example.net"}}}
    return (
        Digest()
        .step("update", image, "source-store", definition, definition | {"dockerImageTag": "1.1.0"}, "dockerImageTag")
        .step("delete", image, "source-old", definition)
        .step(
            "update",
            manifest,
            "source-api",
            {"name": "Api", "manifest": {"definitions": {"requester": requester}}},
            {"name": "Api", "manifest": moved},
            "manifest.definitions.requester.url_base",
        )
        .step("create", "airbyte:index/tag:Tag", "finance", None, {"name": "finance", "color": "CAC7FF"})
    )


DECLARATIVE = "declarativeSourceDefinition:DeclarativeSourceDefinition"


ERP_VALUES = {"stringData": {"AWS_ACCESS_KEY_ID": "[secret]", "LOTUS_SOURCE_ERP": "[secret]"}}


def dlt_changed(old: Inputs, new: Inputs, *, secret: bool = False) -> Digest:
    """An update of the component of a source that dlt reads: the engine names no path of a component that differs."""
    digest = Digest().step("update", DLT_SOURCE, "erp", old, new)
    if secret:
        digest.step("update", SECRET, ERP_SECRET, ERP_VALUES, ERP_VALUES, "stringData.LOTUS_SOURCE_ERP")
    return digest


def dlt_streams_changed() -> Digest:
    """Of five streams one comes and one goes; of the others field, cursor, mode and token change."""
    items, stock = Stream("items"), Stream("stock", mode="incremental_append", cursor="changed_at")
    old = read_by_dlt([CUSTOMERS, ORDERS, REFUNDS, items, stock])
    new = read_by_dlt(
        [
            CUSTOMERS.but(fields=("email", "id", "phone", "updated_at")),
            ORDERS.but(cursor="id"),
            items.but(mode="full_refresh_overwrite"),
            stock,
            Stream("prices"),
        ],
        backfills={"customers": True, "items": True, "orders": True, "prices": "2026-02-01", "stock": "2026-02-01"},
    )
    return dlt_changed(old, new)


def dlt_settings_changed() -> Digest:
    new = read_by_dlt(
        configuration={"api_key": {"$secret": "erp_key"}, "page_size": 100, "url": "https://erp2.example.com"},
        module="erp_v2",
        path="raw2",
        prefix="v2_",
        resourceRequirements={"memory_limit": "2Gi"},
        schedule={"scheduleType": "basic", "basicTiming": "Every 6 HOURS"},
        status="inactive",
    )
    return dlt_changed(read_by_dlt(), new, secret=True)


def dlt_source_added() -> Digest:
    digest = Digest().step("create", DLT_SOURCE, "erp", None, read_by_dlt([CUSTOMERS, ORDERS]))
    return digest.step("create", SECRET, ERP_SECRET, None, ERP_VALUES)


def dlt_source_removed() -> Digest:
    digest = Digest().step("delete", DLT_SOURCE, "erp", read_by_dlt([CUSTOMERS, ORDERS]))
    return digest.step("delete", SECRET, ERP_SECRET, ERP_VALUES)


def moved_from_airbyte() -> Digest:
    """The file of a source says another engine: it has the same streams, which land at the same place."""
    before = connection([CUSTOMERS, ORDERS], namespaceFormat="erp")
    digest = Digest().step("delete", CONNECTION, "erp", before).step("delete", SOURCE, "erp", actor())
    digest.step("create", DLT_SOURCE, "erp", None, read_by_dlt([CUSTOMERS, ORDERS]))
    return digest.step("create", SECRET, ERP_SECRET, None, ERP_VALUES)


def moved_to_airbyte() -> Digest:
    digest = Digest().step("delete", DLT_SOURCE, "erp", read_by_dlt([ORDERS.but(mode="incremental_append")]))
    digest.step("delete", SECRET, ERP_SECRET, ERP_VALUES).step("create", SOURCE, "erp", None, actor())
    return digest.step("create", CONNECTION, "erp", None, connection([ORDERS], namespaceFormat="erp"))


SITUATIONS: Mapping[str, Callable[[], Digest]] = {
    "nothing-changes": Digest,
    "field-added": lambda: connected(CUSTOMERS, REFUNDS, ORDERS.but(fields=(*ORDERS.fields, "note"))),
    "field-removed": lambda: connected(CUSTOMERS, REFUNDS, ORDERS.but(fields=("id", "updated_at"))),
    "cursor-changed": lambda: connected(CUSTOMERS, REFUNDS, ORDERS.but(cursor="id")),
    "stream-added": lambda: connected(*STREAMS, Stream("abandoned_checkouts")),
    "namesake-added": namesake_added,
    "streams-secret": streams_secret,
    "stream-moved": stream_moved,
    "mapper-removed": lambda: Digest().step(
        "update", CONNECTION, "shopify/daily", connection([HASHED]), connection([ORDERS]), "configurations"
    ),
    "mapper-added": lambda: connected(CUSTOMERS, REFUNDS, HASHED),
    "every-field": lambda: connected(
        CUSTOMERS, REFUNDS, ORDERS.but(takes_all=True), CUSTOMERS.but(name="all", takes_all=True)
    ),
    "files-and-object": lambda: connected(
        CUSTOMERS, REFUNDS, ORDERS.but(others={"includeFiles": True, "destinationObjectName": "Contact"})
    ),
    "namespace-changed": lambda: Digest().step(
        "update",
        CONNECTION,
        "shopify",
        connection([ORDERS.but(namespace="public")]),
        connection([ORDERS.but(namespace="app")]),
        "configurations",
    ),
    "connections-added": connections_added,
    "connection-renamed": connection_renamed,
    "connectors-changed": connectors_changed,
    "stream-removed": lambda: connected(CUSTOMERS, ORDERS),
    "mode-to-overwrite": lambda: connected(CUSTOMERS, REFUNDS, ORDERS.but(mode="full_refresh_overwrite")),
    "source-added": lambda: (
        Digest()
        .step("create", SOURCE, "shopify", None, actor())
        .step("create", CONNECTION, "shopify", None, connection())
    ),
    "source-removed": source_gone,
    "cursors-kept": replaced,
    "cursors-lost": lambda: replaced(KLAVIYO),
    "backfill-token": with_token,
    "secret-rotated": lambda: Digest().step(
        "update", SOURCE, "shopify", actor(), actor(), "configuration.credentials.api_password"
    ),
    "schedule-changed": lambda: connected(schedule={"scheduleType": "basic", "basicTiming": "Every 6 HOURS"}),
    "start-date-changed": lambda: changed(SHOP, {**SHOP, "start_date": "2024-01-01"}, "start_date"),
    "destination-changed": destination_moved,
    "bucket-removed": bucket_gone,
    "dagster-changed": dagster_changed,
    "source-points-elsewhere-hidden": shop_hidden,
    "source-points-elsewhere": lambda: changed(
        {"shop": "a-store", "start_date": "2025-12-25"}, {"shop": "b-store", "start_date": "2025-12-25"}, "shop"
    ),
    "source-of-another-connector": lambda: Digest().step(
        "update", SOURCE, "shopify", actor(), actor(definitionId=POSTGRES), "definitionId"
    ),
    "configuration-hidden": configuration_hidden,
    "hosts-reordered": lambda: changed({"hosts": ["a", "b", "c"]}, {"hosts": ["a", "c", "b"]}, "hosts"),
    "tunnel-added": tunnel_added,
    "long-values": long_values,
    "lookalikes": lookalikes,
    "url-with-password": lambda: changed(
        {"shop": "https://me:one@a-store.example.com/api?key=one"},
        {"shop": "https://me:two@a-store.example.com/api?key=one"},
        "shop",
    ),
    "database-added": database_added,
    "secret-shared": secret_shared,
    "destination-added": destination_added,
    "destination-points-elsewhere-hidden": bucket_hidden,
    "connection-moved": connection_moved,
    "lake-unreadable": database_added,
    "secret-borrowed": lambda: changed(SHOP, SHOP, "credentials.api_password"),
    "address-known-later": lambda: Digest().step(
        "update",
        DESTINATION,
        "s3",
        actor({**S3_PLACE, "s3_bucket_region": "us-west-1"}, definitionId=S3),
        actor({**S3_PLACE, "s3_bucket_name": UNKNOWN, "s3_bucket_region": "eu-west-1"}, definitionId=S3),
        "configuration.s3_bucket_name",
        "configuration.s3_bucket_region",
    ),
    "dlt-source-added": dlt_source_added,
    "dlt-source-removed": dlt_source_removed,
    "dlt-streams-changed": dlt_streams_changed,
    "dlt-settings-changed": dlt_settings_changed,
    "dlt-backfill-token": lambda: dlt_changed(
        read_by_dlt(), read_by_dlt(backfills={"customers": True, "order_refunds": True, "orders": "2026-02-01"})
    ),
    "dlt-secret-rotated": lambda: (
        Digest()
        .step("refresh", DLT_SOURCE, "erp", read_by_dlt(), read_by_dlt())
        .step("update", SECRET, ERP_SECRET, ERP_VALUES, ERP_VALUES, "stringData.LOTUS_SOURCE_ERP")
    ),
    "dlt-from-airbyte": moved_from_airbyte,
    "dlt-to-airbyte": moved_to_airbyte,
    "preview-failed": failed,
    "hostile-names": hostile,
}


def review(
    digest: Digest, *, labels: tuple[str, ...] = (), agreed: Collection[str] = (), files: Files = FILES
) -> Review:
    histories = {"connection-shopify": History(jobs=12, rows=48_210)}
    preview = read_preview(digest.text())
    impact = impact_of(preview, histories, files=files)
    project = load_project(OWN_STREAMS.parent / "dagster" / "dbt")
    decision = gate(impact, frozenset(agreed), labels, LOSS_LABEL)
    lineage = downstream(touched_streams(impact), project)
    pointing = targets(main_steps(preview), files)
    return Review(impact, decision, lineage, with_history=True, targets=pointing, with_lake=files.known)


def lake_with_erp(engine: str = "dlt") -> Files:
    """A lake with the source `erp`, which dlt reads, or Airbyte."""
    reads = {"engine": "dlt"} if engine == "dlt" else {"connector": "source-shopify"}
    configuration = {"api_key": {"$secret": "erp_api_key"}, "url": {"$config": "erp_url"}}
    config = SourceConfig.model_validate({**reads, "configuration": configuration})
    return Files(replace(LAKE, sources=(*LAKE.sources, SourceFolder("erp", config, (), None))), VALUES)


OTHER_FILES: Mapping[str, Callable[[], Files]] = {
    **{name: lake_with_erp for name in SITUATIONS if name.startswith("dlt-")},
    "dlt-to-airbyte": lambda: lake_with_erp("airbyte"),
    "secret-shared": lake_with_two_klaviyos,
    "lake-unreadable": Files,
    "secret-borrowed": lake_with_a_borrowed_secret,
    "stream-moved": lake_with_connections,
    "connection-renamed": lake_with_connections,
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_comment_describes_the_effect_on_data(situation: str) -> None:
    files = OTHER_FILES.get(situation, lambda: FILES)()

    assert_matches(BLESSED / f"{situation}.md", render(review(SITUATIONS[situation](), files=files)))


def test_a_comment_lists_accepted_losses_and_stale_acknowledgements() -> None:
    agreed = ["source shopify", "stream shopify/orders"]

    assert_matches(BLESSED / "acknowledged.md", render(review(source_gone(), agreed=agreed)))


def test_the_keys_of_the_document_stay_when_an_attribute_is_renamed() -> None:
    refreshed, added, moved = (
        json.loads(json.dumps(comment_document(review(SITUATIONS[name]()), "")))
        for name in ("backfill-token", "stream-added", "destination-changed")
    )
    [source], [other] = refreshed["sources"], moved["others"]

    assert (
        " ".join(source)
        == "name change connection streams settings secrets cursors refreshes remarks said notes connections"
    )
    assert list(source["cursors"]) == ["kept", "lost", "anew"]
    assert source["refreshes"] == [
        {"stream": "orders", "why": "token 2026-02-01-reprice", "history": {"jobs": 12, "rows": 48_210}}
    ]
    [stream] = added["sources"][0]["streams"]
    assert " ".join(stream) == "name change added_fields removed_fields settings cursor remarks"
    assert set(stream["settings"][0]) == {"name", "before", "after"}
    [target] = json.loads(json.dumps(comment_document(review(SITUATIONS["source-added"]()), "")))["targets"]
    assert " ".join(target) == "kind name connector addresses settings secrets writes connections"
    assert target["secrets"] == [
        {"path": "credentials.api_password", "name": "shopify_api_password", "changed": True, "readers": []}
    ]
    assert target["addresses"] == [{"name": "configuration.shop", "before": "", "after": "a-store", "changed": False}]
    assert set(target["writes"]) == {"connection", "destination", "addresses", "namespace", "places"}
    assert " ".join(other) == "kind name area change settings secrets said notes"


def test_a_truncated_preview_is_reported_as_such(tmp_path: Path) -> None:
    file = tmp_path / "preview.json"
    file.write_text(source_gone().text()[:400], encoding="utf-8")
    impact = impact_of(load_preview(file), stack="prod")

    made = render(Review(impact, gate(impact, (), (), LOSS_LABEL)))

    assert impact.verdict == "failed"
    assert "is empty or truncated" in made


def test_many_changes_are_folded_and_what_is_too_long_is_cut_and_counted() -> None:
    few, huge = render(review(many(4))), render(review(many(300)))

    assert_matches(BLESSED / "many-changes.md", few)
    assert few.count("<summary><b>") == 8
    assert len(huge.encode()) <= LIMIT
    shown = huge.count("<summary><b>")
    assert f"**{600 - shown} sections are omitted" in huge
    assert huge.count("<details>") == huge.count("</details>")


def test_a_thousand_losses_leave_the_verdict_and_the_ways_out_readable() -> None:
    digest = Digest()
    for number in range(1000):
        digest.step("delete", SOURCE, f"source_{number}", actor()).step(
            "delete", CONNECTION, f"source_{number}", connection()
        )

    made = render(review(digest))

    assert "940 more: `lotus gate` lists them all." in made
    assert len(made.encode()) <= LIMIT


@pytest.mark.parametrize("situation", ["cursors-lost", "hostile-names", "source-removed"])
def test_the_order_of_steps_makes_no_difference(situation: str) -> None:
    forwards, backwards = SITUATIONS[situation](), SITUATIONS[situation]()
    backwards.steps.reverse()

    assert render(review(forwards)) == render(review(backwards))


def test_hostile_names_open_no_tag_and_mention_no_one() -> None:
    made = render(review(hostile()))
    outside = made.replace("```text", "")

    for markup in ("<img", "</details> -->", "](http", "|b|", "`|b"):
        assert markup not in outside


MARKUP = st.text(st.sampled_from("`|@#<>&*_[]()!~\\/:-'\"{}$%= \n\r\tab1\u202e\u200b"), min_size=1, max_size=12)
PLAIN_TAGS = frozenset({"code", "/code", "details", "/details", "summary", "/summary", "b", "/b", "br", "sub", "/sub"})


@given(MARKUP, MARKUP, MARKUP)
@example("x", "@octocat", "](http://x)")
@example("--> <b>", "</code><img src=x>", "`@octocat`")
@example("a", "\n```\n@octocat", "www.example.com #1 http://example.com")
def test_nothing_that_a_preview_holds_becomes_markup(name: str, key: str, value: str) -> None:
    old, new = ({key: each, "host": each, "shop": [each, "b"]} for each in (f"{value}1", value))
    digest = Digest().step("create", SOURCE, name, None, actor(new, definitionId=value))
    digest.step("create", CONNECTION, name, None, connection([Stream(value)], namespaceFormat=value, destinationId=key))
    digest.step("update", DESTINATION, name, actor(old), actor(new, name=key), "configuration", "name")

    first, *rest = render(review(digest)).split("\n")
    shown = re.sub(r"(?ms)^```mermaid.*?^```$", "", "\n".join(rest))
    # Every code span of a comment is on one line, and has no backtick in it.
    spans = [span for line in shown.splitlines() for span in re.findall(r"`([^`]*)`", line)]
    outside = "\n".join(re.sub(r"`[^`]*`|(?<=<code>)[^<]*(?=</code>)", "", line) for line in shown.splitlines())

    assert re.fullmatch(r"<!-- lotus:comment stack=\w+ -->", first)
    assert "`" not in outside
    assert set(re.findall(r"<([^>\s]*)", outside)) <= PLAIN_TAGS
    for markup in ("](", "://", "www.", "\r", "\u202e", "\u200b"):
        assert markup not in outside
    assert not re.search(r"@\w|(?<!&)#\d", outside)
    assert not any(char in span for span in spans for char in "|@<")
