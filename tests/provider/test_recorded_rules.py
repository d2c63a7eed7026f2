"""The provider's check against what a running Airbyte refused and accepted.

What the inputs or the connector's specification show is refused in the check; what the server accepts passes it. What
needs the source's streams is looked up before a write (`offered`), and the rest is the server's to say.
"""

import json
from collections.abc import Iterator

import pytest
from airbyte_twin.testing import running_twin

from tests.provider.plugin import Plugin, running_plugin
from tests.support.recorded import Document, Known, Reason, Write, assert_agreement, counted, disagreements, facts
from tests.support.shared import shared_json

FORESEEN = frozenset({Reason.INPUTS, Reason.SPECIFICATION})
REASONS: dict[str, list[tuple[str, str]]] = {
    "a connection without streams would get those that the server chooses": [
        ("connections", "no streams"),
        ("connections", "configurations {}"),
    ],
    "a null leaves a property out, and is not sent": [
        ("secrets", "put null secret"),
        ("sources", "put null value"),
        ("sources", "patch null"),
    ],
    "the resource's name stands in for a name that is left out": [
        ("*", "put no name"),
        ("errors", "no name"),
        ("errors", "null name"),
    ],
    "a mask is no value: code that has one has lost the secret": [
        ("destinations", "put with mask"),
        ("secrets", "put mask*"),
        ("secrets", "patch *"),
        ("secrets", "create with masks"),
        ("secrets", "shopify *"),
    ],
    "what no table knows is refused: the server would ignore it": [
        ("connections", "field {*dataResidency*"),
        ("connections", "field {*bogus*"),
        ("connections", "patch unknown key"),
        ("connections", "patch dataResidency"),
        ("sources", "unknown key"),
        ("streams", "unknown key"),
    ],
    "a name is a text": [("sources", "number as name")],
    "a value has one spelling; the server takes enumerations in any case": [
        ("connections", 'field {"status": "ACTIVE"}'),
        ("cron", 'schedule {"scheduleType": "MANUAL"}'),
        ("modes", "FULL_REFRESH_APPEND *"),
    ],
    "a connection is not declared as deleted or locked": [
        ("connections", 'field {"status": "deprecated"}'),
        ("connections", 'field {"status": "locked"}'),
    ],
    "a part of a schedule that its type never uses is a mistake": [("cron", "schedule {*manual*cronExpression*")],
    "the provider writes it by the Config API": [
        ("cron", "cron '0 0 12 * * ? America/New_York'"),
        ("cron", "cron '0 0 12 * * ? GMT'"),
        ("cron", "schedule {*basicTiming*"),
    ],
    "the provider sends the expression without its zone": [("cron", "cron '0 0 * * * ? utc'")],
    "the provider sends the names of fields as paths": [("streams", "selected text")],
}
"""Why the provider and the server may disagree, with patterns of sequences and steps."""
KNOWN: Known = {pattern: reason for reason, patterns in REASONS.items() for pattern in patterns}


@pytest.fixture(scope="module")
def checking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """A plugin for an Airbyte with the connectors of the recorded one."""
    folder = tmp_path_factory.mktemp("recorded")
    workspace = shared_json("airbyte", "recorded", "setup.json")["bindings"]["<workspace:1>"]
    (folder / "connectors").mkdir()
    for connector in facts().values():
        if connector["docker_repository"].startswith("lab/"):
            (folder / "connectors" / f"{connector['type']}.json").write_text(json.dumps(connector), encoding="utf-8")
    with running_twin(saves=False, data_dir=folder, workspace_id=workspace) as twin, running_plugin() as plugin:
        plugin.configure(serverUrl=twin.public_url)
        yield plugin


def test_the_record_has_writes_of_every_kind() -> None:
    found = counted()
    assert all(found[reason] for reason in Reason)


def test_the_check_refuses_what_the_server_refuses_and_nothing_else(checking: Plugin) -> None:
    def refusal(write: Write) -> str | None:
        failures = checking.check(write.kind, inputs(write)).failures
        return json.dumps(failures) if failures else None

    assert_agreement(disagreements(refusal, FORESEEN), KNOWN)


def inputs(write: Write) -> Document:
    """The object as a program declares it; it always names streams, since the server would choose some otherwise."""
    streams = {"configurations": {"streams": [{"name": "plain"}]}} if write.kind == "connection" else {}
    return streams | {key: value for key, value in write.declared.items() if value is not None}
