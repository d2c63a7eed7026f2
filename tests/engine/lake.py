"""A lake for a test: a copy of the project's own stream files, a twin, and the real engine over the real program."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import yaml
from airbyte_twin.testing import RunningTwin

from lotus_infra.lake.loader import load_value_names
from tests.engine.harness import REPOSITORY, Pulumi

PROGRAM = (REPOSITORY / "__main__.py").read_text(encoding="utf-8")
SHOPIFY_PASSWORD = "first-value-of-the-shopify-password"
OWN_VALUES = {"shopify_store": "a-store"}
"""The values that the project's own files refer to."""
VALUES = {
    **OWN_VALUES,
    "landing_bucket": "landing",
    "landing_region": "us-west-1",
    "s3_endpoint": "http://127.0.0.1:9000",
}
SECRETS = {
    "shopify_api_password": SHOPIFY_PASSWORD,
    "klaviyo_api_key": "value-of-the-klaviyo-key",
    "s3_access_key_id": "value-of-the-access-key-id",
    "s3_secret_access_key": "value-of-the-secret-access-key",
}
GIVEN_BUCKET = {
    "s3_bucket_name": {"$config": "landing_bucket"},
    "s3_bucket_path": "raw",
    "s3_bucket_region": {"$config": "landing_region"},
    "s3_endpoint": {"$config": "s3_endpoint"},
    "access_key_id": {"$secret": "s3_access_key_id"},
    "secret_access_key": {"$secret": "s3_secret_access_key"},
}
S3_KEYS = {"s3_access_key_id", "s3_secret_access_key"}
READS = frozenset({"GET"})
Document = dict[str, Any]


@dataclass(frozen=True)
class Lake:
    """One lake.

    Attributes:
        pulumi: the engine over its project.
        twin: its Airbyte.
    """

    pulumi: Pulumi
    twin: RunningTwin

    @classmethod
    def copied(cls, pulumi: Pulumi, twin: RunningTwin) -> "Lake":
        """The project's own lake in the engine's project folder, with values for all that it refers to.

        Its bucket is somebody else's: a lake with a landing zone of its own takes another plugin.
        """
        copied = cls.with_references(pulumi, twin, VALUES)
        copied.edit("_destinations/s3.json", lambda destination: destination["configuration"].update(GIVEN_BUCKET))
        return copied

    @classmethod
    def with_references(cls, pulumi: Pulumi, twin: RunningTwin, values: Mapping[str, str] = OWN_VALUES) -> "Lake":
        """The project's own lake as it is, and what the project says for all stacks."""
        for_all_stacks(pulumi, yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text(encoding="utf-8"))["config"])
        streams = pulumi.project / "streams"
        shutil.copytree(REPOSITORY / "streams", streams, ignore=shutil.ignore_patterns(".schema"))
        pulumi.program(PROGRAM)
        given = {"workspaceId": twin.workspace_id, **values}
        plain = [f"--plaintext=lotus:{name}={value}" for name, value in given.items()]
        secret = [f"--secret=lotus:{name}={value}" for name, value in SECRETS.items()]
        pulumi.run("config", "set-all", *plain, *secret).ok()
        return cls.over(pulumi, twin)

    @classmethod
    def over(cls, pulumi: Pulumi, twin: RunningTwin) -> "Lake":
        """The lake that is in the engine's project folder already."""
        pulumi.environment["AIRBYTE_SERVER_URL"] = twin.public_url
        pulumi.environment["AIRBYTE_RETRY_BASE_SECONDS"] = "0"
        pulumi.environment["AIRBYTE_POLL_SECONDS"] = "0.05"
        return cls(pulumi, twin)

    def edit(self, file: str, change: Callable[[Document], object]) -> None:
        """Change a JSON file of the lake in place."""
        path = self.pulumi.project / "streams" / file
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def remove(self, file: str) -> None:
        """Delete a file or a folder of the lake, and the stack's values that no other file refers to."""
        path = self.pulumi.project / "streams" / file
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.forget_values()

    def forget_values(self) -> None:
        """Delete the stack's values that no file refers to any more, as a pull request does that removes a source."""
        names = load_value_names(self.pulumi.project / "streams")
        if names is None:
            return
        own = self.pulumi.project / f"Pulumi.{self.pulumi.stack}.yaml"
        for name in ({**VALUES, **SECRETS}).keys() - names.keys() - S3_KEYS:
            if f"lotus:{name}" in own.read_text(encoding="utf-8"):
                self.pulumi.run("config", "rm", f"lotus:{name}").ok()

    def changes(self, *arguments: str) -> list[tuple[str, str, str]]:
        """What a preview would do, as (operation, type, name), without what stays."""
        steps = self.pulumi.preview("--json", *arguments).ok().changes()
        return sorted((step.op, step.type.split(":")[-1], step.name) for step in steps)

    def live(self, collection: str) -> list[Document]:
        """What a user of Airbyte sees: `sources`, `destinations` or `connections`, by name."""
        found = self.api("GET", f"/{collection}?limit=100")["data"]
        return sorted(found, key=lambda item: str(item["name"]))

    def one(self, collection: str, name: str) -> Document:
        """The one object of this name."""
        [found] = [item for item in self.live(collection) if item["name"] == name]
        return dict(found)

    def api(self, method: str, path: str, body: Document | None = None) -> Document:
        """A call by somebody else than the engine, as Airbyte's own page would make it."""
        return call(self.twin, method, path, body)

    def writes(self) -> list[tuple[str, str]]:
        """Calls since the last `clear_calls` that were not just reads."""
        return [(call.method, call.path) for call in self.twin.calls() if call.method not in READS]

    def written(self) -> str:
        """Every file that the engine left: state, backups, histories, its own logs, and the project."""
        files = self.pulumi.project.parent.rglob("*")
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file())


def for_all_stacks(pulumi: Pulumi, config: Document) -> None:
    """Set configuration in the project's own file, which every stack takes it from."""
    file = pulumi.project / "Pulumi.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(document | {"config": config}, indent=2), encoding="utf-8")  # JSON is YAML too.


def call(twin: RunningTwin, method: str, path: str, body: Document | None = None) -> Document:
    """A call to the public API that must succeed."""
    return _call(method, f"{twin.public_url}{path}", body)


def config_call(twin: RunningTwin, path: str, body: Document) -> Document:
    """A call to the Config API that must succeed."""
    return _call("POST", f"{twin.config_url}{path}", body)


def drift(twin: RunningTwin, kind: str, **order: Any) -> None:
    """Let the server, or the world behind it, change something by itself."""
    _call("POST", f"{twin.url}/_twin/drift", {"kind": kind} | order)


def _call(method: str, url: str, body: Document | None) -> Document:
    response = httpx.request(method, url, json=body, timeout=60)
    assert response.is_success, response.text
    return dict(response.json()) if response.content else {}
