"""The files of the lake that Lotus takes over, unchanged."""

import json
import os
from pathlib import Path

import pytest

from lotus_infra.lake.catalog import configure
from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.models import StreamConfig
from tests.support.lakes import OWN_STREAMS, Files, report_on, source

SHARED = Path(os.environ.get("LOTUS_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
LAKE = SHARED / "lotus-lake"

pytestmark = pytest.mark.skipif(
    not LAKE.is_dir(),
    reason="the taken-over lake's files are not here: set LOTUS_SHARED_DATA to the folder that has them",
)


def seed_files() -> dict[str, bytes]:
    return {
        file.relative_to(LAKE / "streams").as_posix(): file.read_bytes()
        for file in sorted((LAKE / "streams").glob("*/*.json"))
    }


def test_all_nine_stream_files_load_unchanged() -> None:
    streams = list(load_lake(LAKE / "streams").lake.streams)

    assert [f"{stream.source}/{stream.name}" for stream in streams] == [
        name.removesuffix(".json") for name in seed_files() if not name.endswith("_catalog.json")
    ]
    assert len(streams) == 9
    assert all(stream.config.backfill is True for stream in streams)


def test_every_discovered_schema_loads_unchanged() -> None:
    files = sorted((LAKE / "sources").glob("*/*.json"))

    assert len(files) > 50
    for file in files:
        assert Discovered.model_validate_json(file.read_bytes()).stream == file.stem


def test_the_seed_beside_its_own_discovery_is_a_lake_without_problems(tmp_path: Path) -> None:
    changes: Files = {
        "shop/_source.json": None,
        "shop/orders.json": None,
        "shop/_discovered/orders.json": None,
        "shopify/_source.json": source(name="Shopify"),
        "klaviyo/_source.json": source(name="Klaviyo"),
        **seed_files(),
        **{
            f"{file.parent.name}/_discovered/{file.name}": file.read_bytes()
            for file in (LAKE / "sources").glob("*/*.json")
        },
    }

    report = report_on(tmp_path, changes)

    assert report.problems == ()
    assert sorted(notice.what for notice in report.notices) == [
        "is obsolete and not read",
        "is obsolete and not read",
        "lacks deleted_at, by which the source reports deletions: deleted rows stay in the model",
    ]
    assert report.summary == "9 streams in 2 sources: no problems"


def test_the_own_streams_are_configured_as_the_seed() -> None:
    """Facts were taken over, descriptions were not; the own streams select more fields."""
    for name, content in seed_files().items():
        if not name.endswith("_catalog.json"):
            seed = StreamConfig.model_validate_json(content)
            own = StreamConfig.model_validate_json((OWN_STREAMS / name).read_bytes())
            assert own.fields
            assert seed.fields
            of_seed = own.model_copy(update={"fields": {name: own.fields[name] for name in seed.fields}})
            assert configure(of_seed, None) == configure(seed, None)
            assert own.backfill == seed.backfill


def test_the_own_discovered_streams_have_the_fields_of_the_seed() -> None:
    for file in OWN_STREAMS.glob("*/_discovered/*.json"):
        seed = LAKE / "sources" / file.parts[-3] / file.name
        if seed.exists():
            own = Discovered.model_validate_json(file.read_bytes())
            assert own.fields.keys() == Discovered.model_validate_json(seed.read_bytes()).fields.keys()


def test_no_description_of_others_is_in_the_own_lake() -> None:
    files = OWN_STREAMS.glob("[!.]*/**/*.json")

    assert [file.name for file in files if _has_key(json.loads(file.read_text()), "description")] == []


def _has_key(value: object, key: str) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get(key), str) or any(_has_key(inner, key) for inner in value.values())
    return isinstance(value, list) and any(_has_key(inner, key) for inner in value)
