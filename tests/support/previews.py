"""Previews as the engine prints them, made of typed literals. `tests/engine/test_comment.py` shows that it does so.

A digest names only what changes, beside the stack itself, and tells a replacement in one step.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Inputs = Mapping[str, Any]
PIPELINE = "lotus:airbyte:Pipeline"
SOURCE = "airbyte:index/source:Source"
DESTINATION = "airbyte:index/destination:Destination"
CONNECTION = "airbyte:index/connection:Connection"
DLT_SOURCE = "lotus:dlt:Source"
SECRET = "kubernetes:core/v1:Secret"
DAGSTER = "lotus:dagster:Dagster"
ERP_SECRET = "source-erp-dlt"
"""The secret of the source `erp`, which dlt reads."""
SHOPIFY, KLAVIYO = "9da77001-af33-4bcd-be46-6252bf9342b9", "95e8cffd-b8c4-4039-968e-d32fb4a69bde"
S3 = "4816b78f-1489-44c1-9060-4b19d5fa9362"
WORKSPACE = "7c2e9a54-1f0b-4f7e-9a41-6f3a5d1c8b20"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass(frozen=True)
class Stream:
    """A stream of a connection, clean unless told otherwise."""

    name: str = "orders"
    mode: str = "incremental_append"
    cursor: str = "updated_at"
    key: str = "id"
    fields: tuple[str, ...] = ("email", "id", "updated_at")
    takes_all: bool = False
    namespace: str = ""
    mappers: tuple[Inputs, ...] = ()
    others: Inputs = field(default_factory=dict)

    def but(self, **overrides: Any) -> "Stream":
        return replace(self, **overrides)

    def text(self) -> Inputs:
        shown = {
            "cursorField": [self.cursor] if self.mode.startswith("incremental") else None,
            "name": self.name,
            "namespace": self.namespace or None,
            "primaryKey": [[self.key]] if self.mode not in {"full_refresh_append", "full_refresh_overwrite"} else None,
            "selectedFields": None if self.takes_all else sorted(self.fields),
            "syncMode": self.mode,
            "mappers": list(self.mappers) or None,
            **self.others,
        }
        return {key: value for key, value in shown.items() if value is not None}


ORDERS, REFUNDS = Stream(), Stream("order_refunds", cursor="created_at", fields=("created_at", "id", "order_id"))
CUSTOMERS = Stream("customers")
STREAMS = (CUSTOMERS, REFUNDS, ORDERS)


def connection(streams: Sequence[Stream] = STREAMS, **overrides: Any) -> Inputs:
    """The inputs of a connection."""
    texts = [stream.text() for stream in sorted(streams, key=lambda stream: stream.name)]
    return {
        "backfills": {stream.name: True for stream in streams},
        "configurations": json.dumps({"streams": texts}, separators=(",", ":")),
        "destinationId": "destination-1",
        "name": "Shopify → S3",
        "namespaceDefinition": "custom_format",
        "namespaceFormat": "shopify",
        "schedule": {"cronExpression": "0 0 * * * ?", "scheduleType": "cron"},
        "sourceId": "source-shopify",
    } | overrides


def read_by_dlt(streams: Sequence[Stream] = STREAMS, **overrides: Any) -> Inputs:
    """The inputs of the component of a source that dlt reads: those of a connection, and its configuration."""
    given = connection(streams)
    kept = {key: given[key] for key in ("backfills", "configurations", "namespaceDefinition", "schedule")}
    return {
        **kept,
        "configuration": {"api_key": {"$secret": "erp_api_key"}, "url": "https://erp.example.com"},
        "destination": "s3",
        "module": "erp",
        "namespaceFormat": "erp",
        "path": "raw",
    } | overrides


def actor(configuration: Inputs | None = None, **overrides: Any) -> Inputs:
    """The inputs of a source or a destination."""
    told = configuration or {"credentials": {"api_password": "[secret]"}, "shop": "a-store", "start_date": "2025-12-25"}
    return {"configuration": told, "definitionId": SHOPIFY, "name": "Shopify", "workspaceId": WORKSPACE} | overrides


@dataclass
class Digest:
    """What `pulumi preview --json` prints."""

    stack: str = "prod"
    steps: list[Inputs] = field(default_factory=list)
    diagnostics: list[Inputs] = field(default_factory=list)

    def urn(self, type_token: str, name: str) -> str:
        parents = f"{PIPELINE}$" if type_token in {SOURCE, CONNECTION} else ""
        if type_token == DLT_SOURCE:
            parents = f"{DAGSTER}$"
        elif type_token == SECRET and name == ERP_SECRET:
            parents = f"{DAGSTER}${DLT_SOURCE}$"
        return f"urn:pulumi:{self.stack}::lotus::{parents}{type_token}::{name}"

    def step(
        self,
        op: str,
        type_token: str,
        name: str,
        old: Inputs | None = None,
        new: Inputs | None = None,
        *places: str,
        **state: Any,
    ) -> "Digest":
        """A step of one resource; `places` are the paths that differ, and `state` is said of the old state too."""
        urn = self.urn(type_token, name)
        kind = "update-replace" if op == "replace" else "update"
        shown: dict[str, Any] = {"op": op, "urn": urn}
        base = {"urn": urn, "custom": True, "type": type_token}
        if old is not None:
            identity = f"{type_token.rpartition('/')[2].partition(':')[0]}-{name}"
            shown["oldState"] = base | {"id": identity, "inputs": old, "outputs": {}} | state
        if new is not None:
            shown["newState"] = base | {"inputs": new}
        if places:
            shown["diffReasons"] = sorted({place.split(".")[0] for place in places})
            shown["detailedDiff"] = {place: {"kind": kind, "inputDiff": True} for place in places}
        self.steps.append(shown if places else shown | {"detailedDiff": None})
        return self

    def said(self, message: str, type_token: str = "", name: str = "", severity: str = "info") -> "Digest":
        urn = {"urn": self.urn(type_token, name)} if type_token else {}
        self.diagnostics.append(urn | {"message": f"{message}\n", "severity": severity})
        return self

    def text(self) -> str:
        whole = {
            "op": "same",
            "urn": f"urn:pulumi:{self.stack}::lotus::pulumi:pulumi:Stack::lotus-{self.stack}",
            "detailedDiff": None,
        }
        summary = {str(step["op"]): 1 for step in [whole, *self.steps]}
        return json.dumps(
            {
                "config": {"lotus:shopify_api_password": "[secret]"},
                "steps": [whole, *self.steps],
                "diagnostics": self.diagnostics,
                "duration": 2363681695,
                "changeSummary": summary,
            },
            indent=4,
            ensure_ascii=False,
        )
