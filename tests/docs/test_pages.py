"""Every command block of the pages runs, or says why it can't here."""

import json
import re
from collections import Counter

import pytest

from tests.docs.pages import Block, page, pages
from tests.docs.stage import Shown, Stage
from tests.engine.harness import REPOSITORY

DRAFT_ORDERS = """
cat > streams/shopify/draft_orders.json <<END
{"stream": "draft_orders", "sync_mode": "incremental", "destination_sync_mode": "append",
 "primary_key": [["id"]], "cursor_field": ["updated_at"],
 "fields": {"id": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"}}}
END
"""
MANIFEST = """
pulumi stack init sandbox
mkdir .sandbox/instead
cat > .sandbox/instead/curl <<'SCRIPT'
#!/bin/sh
cat > manifest.yaml <<'END'
version: 6.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [issues]}
streams:
  - type: DeclarativeStream
    name: issues
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: {type: HttpRequester, url_base: 'https://api.example.com', path: /issues}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
    schema_loader:
      type: InlineSchemaLoader
      schema: {type: object, properties: {id: {type: integer}, title: {type: string}}}
spec:
  type: Spec
  connection_specification:
    type: object
    required: [credentials, repositories]
    properties:
      repositories: {type: array, items: {type: string}}
      credentials:
        type: object
        oneOf:
          - required: [access_token]
            properties:
              option_title: {type: string, const: OAuth Credentials}
              access_token: {type: string, airbyte_secret: true}
          - required: [personal_access_token]
            properties:
              option_title: {type: string, const: PAT Credentials}
              personal_access_token: {type: string, airbyte_secret: true}
END
SCRIPT
chmod +x .sandbox/instead/curl
export PATH="$PWD/.sandbox/instead:$PATH"
"""
"""A connector in the form of the one that the page downloads, because a test downloads nothing."""
LONG = {
    "README.md": ("make sandbox", "tests/engine/test_sandbox.py"),
    "dagster/README.md": ("dagster dev -m lotus_dagster.code_location", "tests/dagster/test_definitions.py"),
    "docs/how-to/query-the-lake.md": ("lotus query --file report.sql", "tests/commands/test_query.py"),
    "docs/how-to/scaffold-a-model.md": ("dbt build", "tests/dagster/test_scaffold.py"),
    "docs/how-to/start-your-own-lake.md": ("make setup && make check", "tests/engine/test_own_lake.py"),
    "packages/airbyte-twin/README.md": ("airbyte-twin --port", "packages/airbyte-twin/tests/test_twin_persistence.py"),
}
"""Pages whose blocks take a test or a workflow of their own: a command of each, and where it is run."""
PRODUCTION: dict[str, int] = {
    "docs/examples/erp-and-market-place/README.md": 1,
    "docs/how-to/add-a-destination.md": 1,
    "docs/how-to/add-a-dlt-source.md": 2,
    "docs/how-to/adopt-what-exists.md": 1,
    "docs/how-to/check-a-setup.md": 2,
    "docs/how-to/leave-terraform.md": 5,
    "docs/how-to/query-the-lake.md": 3,
    "docs/how-to/recover-a-killed-run.md": 1,
    "docs/how-to/release-the-packages.md": 1,
    "docs/how-to/remove-a-source.md": 1,
    "docs/how-to/remove-a-stream.md": 1,
    "docs/how-to/rotate-a-credential.md": 3,
    "docs/how-to/see-the-status.md": 2,
    "docs/how-to/set-up-ci.md": 5,
    "docs/how-to/set-up-production.md": 6,
    "docs/how-to/start-your-own-lake.md": 3,
    "docs/how-to/sync-a-source.md": 1,
    "docs/how-to/upgrade.md": 3,
    "docs/how-to/verify-a-deploy.md": 3,
    "docs/runbooks/airbyte-down.md": 1,
    "docs/runbooks/lost-state.md": 2,
    "docs/runbooks/quarantined-files.md": 2,
    "docs/runbooks/restore-a-database.md": 7,
    "docs/runbooks/restored-catalog.md": 2,
    "docs/scale.md": 2,
    "packages/pulumi-airbyte/README.md": 4,
    "packages/pulumi-airbyte/examples/faker-to-s3-python/README.md": 2,
}
"""How many blocks of a page need what only a company has."""
GIVEN = {
    "docs/how-to/add-a-destination.md": "pulumi stack init sandbox",
    "docs/how-to/add-a-source.md": MANIFEST,
    "docs/how-to/promote-a-lake.md": "pulumi stack init sandbox",
    "docs/how-to/scaffold-a-model.md": DRAFT_ORDERS,
    "docs/runbooks/lost-state.md": "mkdir .sandbox/anew && export PULUMI_BACKEND_URL=file://$PWD/.sandbox/anew",
}
"""What a page takes for granted beyond a lake that is applied, as lines for a shell."""

RUN = [each.name for each in pages() if any(block.is_run for block in each.blocks)]
BY_DAY = "docs/how-to/add-a-stream.md"
"""The page that a pull request waits for: it writes a file, runs `lotus` and the engine, and shows what they print."""


def test_blocks_that_can_not_run_here_are_counted() -> None:
    marked = Counter(block.page for each in pages() for block in each.blocks if block.word == "production")
    assert dict(marked) == PRODUCTION


def test_every_long_block_is_run_where_it_is_said_to_be() -> None:
    found = {block.page: block.text for each in pages() for block in each.blocks if block.word == "long"}
    assert found.keys() == LONG.keys()
    for name, (command, where) in LONG.items():
        assert command in found[name]
        assert (REPOSITORY / where).exists()


@pytest.mark.engine
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == BY_DAY else pytest.mark.nightly) for name in RUN]
)
def test_every_block_of_a_page_runs(name: str, stage: Stage) -> None:
    if name in GIVEN:
        given = stage.run(GIVEN[name])
        assert given.exit_code == 0, given.output
        stage = stage.after(given)
    shown = Shown(0, "", stage.environment)
    for block in page(name).blocks:
        if block.is_run:
            shown = stage.run(block.text)
            stage = stage.after(shown)
            expected = 1 if block.word == "refused" else 0
            assert shown.exit_code == expected, f"{block.where} ended with {shown.exit_code}:\n{shown.output}"
        elif block.target:
            write(stage, block)
        elif block.word == "shown":
            missing = [line for line in block.text.splitlines() if not is_in(line, shown.output)]
            assert missing == [], f"{block.where} is not what is shown:\n{shown.output}"


def write(stage: Stage, block: Block) -> None:
    """Edits a file as somebody does who follows the page."""
    file = stage.project / block.target
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(edited(before, block), encoding="utf-8")


def edited(before: str, block: Block) -> str:
    if block.language == "diff":
        lines = block.text.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[:1] in {" ", sign}) for sign in "-+")
        assert before.count(old) == 1, f"{block.where}: its lines are in {block.target} {before.count(old)} times"
        return before.replace(old, new)
    if block.language == "json" and not block.text.startswith("{"):
        document = json.loads(before) | json.loads(f"{{{block.text}}}")
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return block.text


def is_in(line: str, output: str) -> bool:
    """Whether an output has a line, spaces and what `…` stands for left out."""
    parts = (re.escape(" ".join(part.split())) for part in line.split("…"))
    return re.search(".*".join(parts), "\n".join(" ".join(each.split()) for each in output.splitlines())) is not None
