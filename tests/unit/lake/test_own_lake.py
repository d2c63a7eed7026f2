"""The project's own lake."""

from lotus_infra.lake.report import check_lake
from tests.support.lakes import OWN_STREAMS

STREAMS = {
    "faker": ["products", "purchases", "users"],
    "klaviyo": ["campaigns", "events", "flows", "lists", "metrics", "profiles"],
    "shopify": ["customers", "order_refunds", "orders"],
}


def test_the_own_lake_has_twelve_streams_in_three_sources_and_no_problems() -> None:
    report = check_lake(OWN_STREAMS)

    assert report.problems == ()
    assert report.notices == ()
    assert report.summary == "12 streams in 3 sources: no problems"
    assert {source.name: [stream.name for stream in source.streams] for source in report.lake.sources} == STREAMS


def test_every_own_stream_is_incremental_and_appends() -> None:
    modes = {(s.config.sync_mode, s.config.destination_sync_mode) for s in check_lake(OWN_STREAMS).lake.streams}

    assert modes == {("incremental", "append")}


def test_every_own_connector_is_pinned() -> None:
    lake = check_lake(OWN_STREAMS).lake

    assert sorted(lake.connectors) == ["destination-s3", "source-faker", "source-klaviyo", "source-shopify"]
    assert [source.label for source in lake.sources] == ["Faker", "Klaviyo", "Shopify"]
    assert lake.destination_label("s3") == "S3"
