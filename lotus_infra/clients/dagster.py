"""What Dagster has made, and when: the one module of the commands that asks its webserver, in one request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import httpx
from pydantic import BaseModel, Field, ValidationError

from lotus_infra.errors import LotusError

QUERY: Final = """{ assetNodes(loadMaterializations: true) {
    assetKey { path } dependencyKeys { path } assetMaterializations(limit: 1) { timestamp } } }"""
SECONDS: Final = 30
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset.

    Attributes:
        key: Its key.
        upstream: The keys of what it is made of.
        made: When it was made last; None where it never was.
    """

    key: Key
    upstream: tuple[Key, ...]
    made: datetime | None


class _Key(BaseModel):
    path: Key


class _Materialization(BaseModel):
    timestamp: int
    """In milliseconds since 1970."""


class _Node(BaseModel):
    key: Annotated[_Key, Field(alias="assetKey")]
    upstream: Annotated[tuple[_Key, ...], Field(alias="dependencyKeys")]
    made: Annotated[tuple[_Materialization, ...], Field(alias="assetMaterializations")]


class _Data(BaseModel):
    nodes: Annotated[tuple[_Node, ...], Field(alias="assetNodes")]


class _Answer(BaseModel):
    data: _Data


def assets(url: str) -> dict[Key, Asset]:
    """All assets of a Dagster, by their keys.

    Args:
        url: The address of its pages.

    Raises:
        LotusError: It does not answer, or not as Dagster does.
    """
    hint = "is this Dagster's address? `--dagster-url` names another"
    try:
        asked = httpx.get(f"{url.rstrip('/')}/graphql", params={"query": QUERY}, timeout=SECONDS)
        asked.raise_for_status()
        found = _Answer.model_validate_json(asked.content).data.nodes
    except httpx.HTTPStatusError as error:
        raise LotusError(f"Dagster answers {error.response.status_code}", hint) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LotusError(f"Dagster can't be reached: {error or type(error).__name__}", hint) from None
    except ValidationError:
        raise LotusError("the answer makes no sense", hint) from None
    return {each.key.path: _asset(each) for each in found}


def _asset(node: _Node) -> Asset:
    times = [datetime.fromtimestamp(each.timestamp / 1000, UTC) for each in node.made]
    return Asset(node.key.path, tuple(each.path for each in node.upstream), max(times, default=None))


def downstream(found: Mapping[Key, Asset], key: Key) -> Iterator[Asset]:
    """The assets that are made of one, directly or by way of others, each once."""
    reached = {key}
    while more := [each for each in found.values() if each.key not in reached and reached.intersection(each.upstream)]:
        reached.update(each.key for each in more)
        yield from more
