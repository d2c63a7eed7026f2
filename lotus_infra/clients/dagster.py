"""A Dagster instance: its assets, their last materializations and failed checks, in one request to its webserver.

`dagster_runs` has its jobs and runs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, Field, JsonValue, TypeAdapter, ValidationError

from lotus_infra import naming
from lotus_infra.errors import LotusError

QUERY: Final = """{ assetNodes(loadMaterializations: true) {
    assetKey { path } dependencyKeys { path } assetMaterializations(limit: 1) { timestamp }
    assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization { status evaluation {
        severity description metadataEntries { label ... on JsonMetadataEntry { jsonString } } } } } } } } }"""
_TIMEOUT_SECONDS: Final = 30
_OTHER_ADDRESS: Final = "is this Dagster's address? `--dagster-url` names another"
_FAILED: Final = ("FAILED", "EXECUTION_FAILED")
AssetKey = tuple[str, ...]
Answer = TypeVar("Answer", bound=BaseModel)


class QuarantinedFile(BaseModel, frozen=True):
    """A file that runs skip, because a model can't be built with it.

    Attributes:
        file: Its key in the landing zone.
        reason: The error of the build.
        since: When it was put aside; None if Dagster does not say.
    """

    file: str
    reason: str
    since: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """An asset check that fails for the last materialization.

    Attributes:
        asset: The key of its asset.
        name: Its name; of a dbt test, the test's.
        is_error: Whether its severity is an error, and not a warning.
        description: Why, as Dagster has it; may be empty.
    """

    asset: AssetKey
    name: str
    is_error: bool
    description: str


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset.

    Attributes:
        key: Its key.
        upstream: The keys of its direct upstream assets.
        materialized: The time of its last materialization; None if there was none.
        failed_checks: Its checks that fail now, without the one for files in quarantine.
        quarantined: The files that its runs skip.
    """

    key: AssetKey
    upstream: tuple[AssetKey, ...]
    materialized: datetime | None
    failed_checks: tuple[FailedCheck, ...] = ()
    quarantined: tuple[QuarantinedFile, ...] = ()


def fetch_assets(url: str) -> dict[AssetKey, Asset]:
    """All assets of a Dagster instance, by their keys.

    Args:
        url: The address of its web pages.

    Raises:
        LotusError: The server does not answer, or not as Dagster does.
    """
    nodes = read_answer(_Response, ask(url, QUERY)).data.nodes
    return {each.key.path: _asset(each) for each in nodes}


def ask(url: str, query: str, variables: Mapping[str, JsonValue] | None = None) -> bytes:
    """A GraphQL answer of Dagster's webserver, as JSON.

    Args:
        url: The address of its web pages.
        query: A query; with variables, also a mutation.
        variables: Its variables; with them it is sent by POST.

    Raises:
        LotusError: The server does not answer, or refuses.
    """
    place = f"{url.rstrip('/')}/graphql"
    try:
        response = (
            httpx.get(place, params={"query": query}, timeout=_TIMEOUT_SECONDS)
            if variables is None
            else httpx.post(place, json={"query": query, "variables": dict(variables)}, timeout=_TIMEOUT_SECONDS)
        )
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise LotusError(f"Dagster answers {error.response.status_code}", _OTHER_ADDRESS) from None
    except httpx.ConnectError:
        hint = "start it (in the sandbox: `make sandbox-ui`), or name another address by --dagster-url"
        raise LotusError(f"no Dagster runs on {url}", hint) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LotusError(f"Dagster can't be reached: {error or type(error).__name__}", _OTHER_ADDRESS) from None
    return response.content


def read_answer(model: type[Answer], content: bytes) -> Answer:
    """An answer, parsed.

    Raises:
        LotusError: It is not one of Dagster's.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError:
        raise LotusError("the answer is not one of Dagster's", _OTHER_ADDRESS) from None


def downstream(assets: Mapping[AssetKey, Asset], key: AssetKey) -> Iterator[Asset]:
    """The assets downstream of one, direct or not, each once."""
    reached = {key}
    while more := [each for each in assets.values() if each.key not in reached and reached.intersection(each.upstream)]:
        reached.update(each.key for each in more)
        yield from more


_FILES: Final = TypeAdapter(tuple[QuarantinedFile, ...])


class _Key(BaseModel):
    path: AssetKey


class _Materialization(BaseModel):
    timestamp: int
    """In milliseconds since 1970."""


class _MetadataEntry(BaseModel):
    label: str
    json_text: Annotated[str, Field(alias="jsonString")] = ""


class _Evaluation(BaseModel):
    severity: str
    description: str | None
    metadata: Annotated[tuple[_MetadataEntry, ...], Field(alias="metadataEntries")]


class _Execution(BaseModel):
    status: str
    evaluation: _Evaluation | None


class _Check(BaseModel):
    name: str
    execution: Annotated[_Execution | None, Field(alias="executionForLatestMaterialization")]


class _Checks(BaseModel):
    checks: tuple[_Check, ...]


class _Node(BaseModel):
    key: Annotated[_Key, Field(alias="assetKey")]
    upstream: Annotated[tuple[_Key, ...], Field(alias="dependencyKeys")]
    materializations: Annotated[tuple[_Materialization, ...], Field(alias="assetMaterializations")]
    checks: Annotated[_Checks, Field(alias="assetChecksOrError")]


class _Data(BaseModel):
    nodes: Annotated[tuple[_Node, ...], Field(alias="assetNodes")]


class _Response(BaseModel):
    data: _Data


def _asset(node: _Node) -> Asset:
    times = [datetime.fromtimestamp(each.timestamp / 1000, UTC) for each in node.materializations]
    failed = [each for each in node.checks.checks if each.execution is not None and each.execution.status in _FAILED]
    files = [file for each in failed if each.name == naming.QUARANTINE_CHECK for file in _quarantined(each)]
    # A quarantine that does not list its files is shown as any other check.
    shown = [each for each in failed if not (files and each.name == naming.QUARANTINE_CHECK)]
    return Asset(
        node.key.path,
        tuple(each.path for each in node.upstream),
        max(times, default=None),
        tuple(_failed_check(node.key.path, each) for each in shown),
        tuple(files),
    )


def _failed_check(asset: AssetKey, check: _Check) -> FailedCheck:
    evaluation = check.execution.evaluation if check.execution is not None else None
    if evaluation is None:
        return FailedCheck(asset, check.name, is_error=True, description="it could not be evaluated")
    return FailedCheck(asset, check.name, evaluation.severity != "WARN", evaluation.description or "")


def _quarantined(check: _Check) -> tuple[QuarantinedFile, ...]:
    evaluation = check.execution.evaluation if check.execution is not None else None
    texts = [entry.json_text for entry in evaluation.metadata if entry.label == "files"] if evaluation else []
    try:
        return _FILES.validate_json(texts[0]) if texts else ()
    except ValidationError:
        return ()
