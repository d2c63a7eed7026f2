"""dbt's manifest, cut into the part that each stream needs.

dagster-dbt walks the whole manifest for every `@dbt_assets`; given only a stream's nodes, a thousand streams load in
seconds. The manifest is JSON of dbt's making, so it stays JSON here; nothing else of the package looks into it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lotus_infra.errors import LotusError

Json = Mapping[str, Any]
_WHOLE = ("metadata", "macros", "groups", "docs", "selectors", "disabled", "saved_queries")
_CUT = ("nodes", "sources", "exposures", "metrics", "semantic_models", "unit_tests", "functions", "parent_map")


class ManifestError(LotusError):
    """dbt's manifest is missing or can't be read."""


class Manifest:
    """dbt's manifest of the whole project."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._models: dict[str, list[str]] = defaultdict(list)
        self._tests: dict[str, list[str]] = defaultdict(list)
        for name, node in document["nodes"].items():
            if node["resource_type"] == "test":
                # A test that is a query of its own belongs to no model by name; it runs with those that it reads.
                attached = node.get("attached_node")
                for model in [attached] if attached else node["depends_on"]["nodes"]:
                    self._tests[model].append(name)
            elif node["resource_type"] != "operation":  # a hook of the project, which is no asset
                for tag in node["tags"] or ("",):
                    self._models[tag].append(name)

    @classmethod
    def read(cls, file: Path) -> "Manifest":
        """Read a manifest.

        Raises:
            ManifestError: It is missing or no JSON.
        """
        try:
            return cls(json.loads(file.read_bytes()))
        except FileNotFoundError:
            raise ManifestError(f"{file} is missing", "run `dbt parse` in the dbt project") from None
        except ValueError as error:
            raise ManifestError(f"{file} is no manifest: {error}", "run `dbt parse` in the dbt project") from error

    def tagged(self, tag: str) -> Json | None:
        """The manifest of the models with a tag, of their tests and of what these need; None without such a model."""
        return self._of(self._models[tag]) if tag in self._models else None

    def untagged(self, tags: Iterable[str]) -> Json | None:
        """The manifest of the models that have none of the tags; None without such a model."""
        models = self._without(tags)
        return self._of(sorted(models)) if models else None

    def tables_without(self, tags: Iterable[str]) -> list[str]:
        """The tables and views of the models that have none of the tags, by name."""
        nodes = [self._document["nodes"][name] for name in self._without(tags)]
        return sorted(str(node["alias"]) for node in nodes if node["config"]["materialized"] != "ephemeral")

    def _without(self, tags: Iterable[str]) -> set[str]:
        taken = {name for tag in tags for name in self._models.get(tag, ())}
        return {name for names in self._models.values() for name in names} - taken

    def _of(self, models: Iterable[str]) -> Json:
        wanted = set(models)
        wanted |= {test for model in wanted for test in self._tests.get(model, ())}
        wanted |= self._ancestors(wanted)
        whole = {part: self._document[part] for part in _WHOLE if part in self._document}
        cut = {part: self._within(part, wanted) for part in _CUT if part in self._document}
        children = {
            name: [child for child in self._document["child_map"].get(name, ()) if child in wanted] for name in wanted
        }
        return {**whole, **cut, "child_map": children}

    def _ancestors(self, names: Iterable[str]) -> set[str]:
        """Everything that the nodes are made of: dagster-dbt describes upstreams, and theirs in turn."""
        found: set[str] = set()
        ahead = list(names)
        while ahead:
            node = self._document["nodes"].get(ahead.pop())
            new = set(node["depends_on"]["nodes"]) - found if node is not None else set()
            found |= new
            ahead += new
        return found

    def _within(self, part: str, wanted: set[str]) -> Json:
        content = self._document[part]
        return {name: content[name] for name in wanted if name in content}
