"""The assets of a Dagster instance and their last materializations, from its webserver's GraphQL API in one request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import httpx
from pydantic import BaseModel, Field, ValidationError

from lotus_infra.errors import LotusError

QUERY: Final = """{ assetNodes(loadMaterializations: true) {
    assetKey { path } dependencyKeys { path } assetMaterializations(limit: 1) { timestamp } } }"""
_TIMEOUT_SECONDS: Final = 30
AssetKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset.

    Attributes:
        key: Its key.
        upstream: The keys of its direct upstream assets.
        materialized: The time of its last materialization; None if there was none.
    """

    key: AssetKey
    upstream: tuple[AssetKey, ...]
    materialized: datetime | None


def fetch_assets(url: str) -> dict[AssetKey, Asset]:
    """All assets of a Dagster instance, by their keys.

    Args:
        url: The address of its web pages.

    Raises:
        LotusError: The server does not answer, or not as Dagster does.
    """
    hint = "is this Dagster's address? `--dagster-url` names another"
    try:
        response = httpx.get(f"{url.rstrip('/')}/graphql", params={"query": QUERY}, timeout=_TIMEOUT_SECONDS)
        response.raise_for_status()
        nodes = _Response.model_validate_json(response.content).data.nodes
    except httpx.HTTPStatusError as error:
        raise LotusError(f"Dagster answers {error.response.status_code}", hint) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LotusError(f"Dagster can't be reached: {error or type(error).__name__}", hint) from None
    except ValidationError:
        raise LotusError("the answer is not one of Dagster's", hint) from None
    return {each.key.path: _asset(each) for each in nodes}


def downstream(assets: Mapping[AssetKey, Asset], key: AssetKey) -> Iterator[Asset]:
    """The assets downstream of one, direct or not, each once."""
    reached = {key}
    while more := [each for each in assets.values() if each.key not in reached and reached.intersection(each.upstream)]:
        reached.update(each.key for each in more)
        yield from more


class _Key(BaseModel):
    path: AssetKey


class _Materialization(BaseModel):
    timestamp: int
    """In milliseconds since 1970."""


class _Node(BaseModel):
    key: Annotated[_Key, Field(alias="assetKey")]
    upstream: Annotated[tuple[_Key, ...], Field(alias="dependencyKeys")]
    materializations: Annotated[tuple[_Materialization, ...], Field(alias="assetMaterializations")]


class _Data(BaseModel):
    nodes: Annotated[tuple[_Node, ...], Field(alias="assetNodes")]


class _Response(BaseModel):
    data: _Data


def _asset(node: _Node) -> Asset:
    times = [datetime.fromtimestamp(each.timestamp / 1000, UTC) for each in node.materializations]
    return Asset(node.key.path, tuple(each.path for each in node.upstream), max(times, default=None))
