"""Names that must be unique."""

from pathlib import Path

from tests.support.lakes import Files, destination, discovered, problems_of, source, stream


def shop(folder: str, name: str, *streams: str, **settings: object) -> Files:
    """A whole source folder with some streams."""
    files: dict[str, object] = {f"{folder}/_source.json": source(name=name, **settings)}
    for each in streams or ("orders",):
        files[f"{folder}/{each}.json"] = stream(stream=each)
        files[f"{folder}/_discovered/{each}.json"] = discovered(stream=each)
    return files  # type: ignore[return-value]


def test_two_sources_with_one_label_are_reported_whatever_the_case(tmp_path: Path) -> None:
    assert problems_of(tmp_path, dict(shop("store", "SHOP"))) == [
        (
            'store/_source.json:3: name: the source label "SHOP" is already that of shop/_source.json: '
            "give one of the two another name"
        )
    ]


def test_a_label_that_a_folder_gives_is_a_label_too(tmp_path: Path) -> None:
    files = dict(shop("big_store", "x")) | {"big_store/_source.json": source(name=None)}

    assert problems_of(tmp_path, files | {"shop/_source.json": source(name="Big Store")}) != []


def test_two_destinations_with_one_label_are_reported(tmp_path: Path) -> None:
    changes = {"_destinations/s3.json": destination(name="Lake"), "_destinations/t3.json": destination(name="Lake")}

    assert problems_of(tmp_path, changes) == [
        (
            '_destinations/t3.json:17: name: the destination label "Lake" is already that of _destinations/s3.json: '
            "give one of the two another name"
        )
    ]


def test_two_connections_with_one_label_are_reported(tmp_path: Path) -> None:
    changes = dict(shop("store", "Shop → S3", destination="t3")) | {
        "_destinations/s3.json": destination(name="S3 → Lake"),
        "_destinations/t3.json": destination(name="Lake"),
    }

    assert problems_of(tmp_path, changes) == [
        (
            'store/_source.json:3: name: the connection label "Shop → S3 → Lake" is already that of shop/_source.json: '
            "give one of the two another name"
        )
    ]


def test_one_stream_in_two_files_is_reported(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {"shop/sales.json": stream()}) == [
        (
            'shop/sales.json:1: (file): the prefix "raw/shop/orders/" is already that of shop/orders.json: '
            "give one of the two another namespace or prefix"
        ),
        (
            'shop/sales.json:2: stream: the stream "orders" is already that of shop/orders.json: '
            "delete one of the two files"
        ),
    ]


def test_two_streams_that_share_one_sensor_are_reported(tmp_path: Path) -> None:
    changes = dict(shop("shop_eu", "Europe", "orders")) | dict(shop("shop", "Shop", "eu_orders"))

    assert problems_of(tmp_path, changes) == [
        (
            'shop_eu/orders.json:1: (file): the sensor "shop_eu_orders_sensor" is already that of shop/eu_orders.json: '
            "rename one of the two source folders"
        )
    ]


def test_two_streams_that_share_one_dbt_tag_are_reported(tmp_path: Path) -> None:
    changes = dict(shop("shop__eu", "Europe", "orders")) | dict(shop("shop", "Shop", "eu__orders"))

    problems = problems_of(tmp_path, changes)

    assert len(problems) == 1
    assert 'the dbt tag "shop__eu__orders" is already that of shop/eu__orders.json' in problems[0]


def test_two_streams_that_are_written_to_one_place_are_reported(tmp_path: Path) -> None:
    assert problems_of(tmp_path, dict(shop("store", "Store", namespace="shop"))) == [
        (
            'store/orders.json:1: (file): the prefix "raw/shop/orders/" is already that of shop/orders.json: '
            "give one of the two another namespace or prefix"
        )
    ]


def test_a_prefix_or_another_bucket_keeps_two_streams_apart(tmp_path: Path) -> None:
    prefixed = dict(shop("store", "Store", namespace="shop", prefix="store_"))
    elsewhere = dict(shop("mart", "Mart", namespace="shop", destination="t3"))

    other = destination(name="T3")
    assert isinstance(other["configuration"], dict)
    other["configuration"]["s3_bucket_name"] = {"$config": "other_bucket"}

    assert problems_of(tmp_path, prefixed | elsewhere | {"_destinations/t3.json": other}) == []
