"""Names that dashboards and people know."""

import pytest

from lotus_infra import naming


def test_a_streams_names_never_change() -> None:
    assert naming.s3_prefix("shopify", "orders") == "raw/shopify/orders/"
    assert naming.sensor("shopify", "orders") == "shopify_orders_sensor"
    assert naming.dbt_assets("shopify", "orders") == "shopify_orders_dbt"
    assert naming.dbt_tag("shopify", "orders") == "shopify__orders"
    assert naming.dbt_model("shopify", "orders") == "int_shopify__orders"
    assert naming.asset_key("shopify", "orders") == ("main", "int_shopify__orders")
    assert naming.dbt_sources_file("shopify") == "_shopify__sources.yml"
    assert naming.connection_label("Shopify", "S3") == "Shopify → S3"
    assert naming.namespace("shopify") == "shopify"


def test_a_prefix_goes_before_the_stream_and_a_path_before_all() -> None:
    assert naming.s3_prefix("eu", "orders", prefix="shop_", path="landing") == "landing/eu/shop_orders/"


@pytest.mark.parametrize(("name", "label"), [("shopify", "Shopify"), ("google_ads", "Google Ads"), ("s3", "S3")])
def test_a_label_is_made_of_a_file_name(name: str, label: str) -> None:
    assert naming.label(name) == label


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Google Ads (EU)", "google_ads_eu"),
        ("Zürich", "zurich"),
        ("2Checkout", "source_2checkout"),
        ("日本", "source"),
        ("→ S3", "s3"),
    ],
)
def test_an_identifier_is_made_of_a_label(label: str, name: str) -> None:
    assert naming.identifier(label, "source") == name
    assert naming.is_identifier(name)


def test_a_secret_is_named_after_its_owner_and_its_path() -> None:
    assert naming.secret("shopify", ["api_password"]) == "shopify_api_password"
    assert naming.secret("db", ["ssh", 0, "tunnelKey"]) == "db_ssh_item_0_tunnelkey"


def test_resources_are_named_after_files_and_never_after_labels() -> None:
    assert naming.source_resource("google_ads") == "google_ads"
    assert naming.connection_resource("google_ads", "google_ads") == "google_ads"
    assert naming.connection_resource("google_ads", "daily") == "google_ads/daily"
    assert naming.destination_resource("s3") == "s3"


@pytest.mark.parametrize("name", ["a", "orders", "order_2", "a__b"])
def test_small_letters_digits_and_underscores_make_an_identifier(name: str) -> None:
    assert naming.is_identifier(name)


@pytest.mark.parametrize("name", ["", "A", "1a", "_a", "a-b", "a b", "a.b", "ä", "a\n"])
def test_any_other_text_is_not_an_identifier(name: str) -> None:
    assert not naming.is_identifier(name)
