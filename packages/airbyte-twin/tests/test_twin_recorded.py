"""The twin answers as a real Airbyte did: every recorded sequence is sent to it.

The record is in the reference data (`airbyte/recorded`). What may differ is in EXCEPTIONS, each with its reason; one
that does not differ any more must be taken out.
"""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from airbyte_twin.testing import running_twin
from recorded_support import Names, recorded_steps, replayed
from twin_contract import data_folder

RECORDED = data_folder() / "airbyte" / "recorded"
SEQUENCES = sorted(path.stem for path in RECORDED.glob("*.jsonl"))
MOST_EXCEPTIONS = 5
SHORT = "the database's error quotes the query, which is a long one for connections; the twin leaves it out"
EXCEPTIONS = {("pagination", f"connections ?{name}=-1"): SHORT for name in ("limit", "offset")}


def setup() -> dict[str, Any]:
    """What the recorded server held before each sequence."""
    read: dict[str, Any] = json.loads((RECORDED / "setup.json").read_text(encoding="utf-8"))
    return read


def test_the_record_is_there() -> None:
    if not SEQUENCES:
        pytest.skip(
            f"NOTHING WAS REPLAYED: no recorded answers in {RECORDED}: set LOTUS_SHARED_DATA to the data folder"
        )
    assert len(EXCEPTIONS) <= MOST_EXCEPTIONS
    known = {step.key for sequence in SEQUENCES for step in recorded_steps(RECORDED / f"{sequence}.jsonl")}
    assert known >= EXCEPTIONS.keys()


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_every_answer_is_the_recorded_one(sequence: str, tmp_path: Path) -> None:
    facts = setup()
    folder = tmp_path / "connectors"
    folder.mkdir()
    for connector in facts["definitions"]:
        if connector["docker_repository"].startswith("lab/"):
            (folder / f"{connector['type']}.json").write_text(json.dumps(connector))
    guarded = sequence == Path(facts["auth"]["file"]).stem
    credentials = {name: facts["auth"][name] for name in ("client_id", "client_secret")}
    settings = {"auth": "client_credentials", **credentials} if guarded else {}
    with (
        running_twin(data_dir=tmp_path, workspace_id=facts["bindings"]["<workspace:1>"], **settings) as twin,
        httpx.Client(base_url=twin.url, trust_env=False, timeout=60) as http,
    ):
        names = Names(twin.url, frozenset(facts["fixed"]), dict(facts["bindings"]))
        steps = recorded_steps(RECORDED / f"{sequence}.jsonl")
        found = [(step, differences) for step, differences in replayed(steps, http, names) if differences]
    unlike = [f"{step}\n{shown}" for step, each in found if step.key not in EXCEPTIONS for shown in each[:4]]
    assert not unlike, "\n" + "\n".join(unlike)
    stale = {key for key in EXCEPTIONS if key[0] == sequence} - {step.key for step, _ in found}
    assert not stale, f"these exceptions do not differ any more, take them out: {sorted(stale)}"
