"""What dbt's models and sources are called in Dagster: `naming`'s names, whatever dagster-dbt would call them."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from lotus_infra import naming


class LotusTranslator(DagsterDbtTranslator):
    """Names assets; `automation`, if given, is when they materialize by themselves."""

    def __init__(self, group: str, automation: "dg.AutomationCondition[Any] | None" = None) -> None:
        super().__init__()
        self._group, self._automation = group, automation

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`["main", "int_shopify__orders"]` for a model, `["raw", "shopify", "orders"]` for a source's table."""
        if dbt_resource_props["resource_type"] == "source":
            return raw_key(dbt_resource_props["source_name"], dbt_resource_props["name"])
        return dg.AssetKey([naming.MAIN_SCHEMA, dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The source that the models belong to, or `marts`."""
        return self._group

    def get_automation_condition(self, dbt_resource_props: Mapping[str, Any]) -> "dg.AutomationCondition[Any] | None":
        """When the model materializes by itself."""
        return self._automation


def raw_key(source: str, stream: str) -> dg.AssetKey:
    """The asset of a stream's files in the landing zone."""
    return dg.AssetKey([naming.LANDING_PATH, source, stream])
