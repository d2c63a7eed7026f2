"""In a run, no delete removes what the run has made or adopted, or what another live resource holds.

Two or more plugin processes serve one engine here, in the orders in which the engine calls them.
"""

import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from pulumi.runtime.proto import plugin_pb2, provider_pb2
from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.provider import run_record
from pulumi_airbyte.provider.properties import encode
from pulumi_airbyte.provider.run_record import Holder, RunRecord

from tests.provider import test_adoption
from tests.provider.heard import Engine, serving
from tests.provider.jobs import state, write_state
from tests.provider.lake import Document, Lake, stream
from tests.provider.plain import ALL, PERMISSION, TAG
from tests.provider.plugin import Object, Plugin, Values, error, running_plugin, urn

CURSOR = {"updated_at": "2026-01-02"}
KINDS = (*test_adoption.KINDS, *ALL)
Starts = Callable[[], AbstractContextManager[Plugin]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where records of runs are, for this test alone."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path


@pytest.fixture
def run(lake: Lake) -> Iterator[tuple[Engine, Starts]]:
    """An engine, and what starts another plugin process of its run."""
    with serving() as (heard, address):

        @contextmanager
        def start() -> Iterator[Plugin]:
            with running_plugin(address) as plugin:
                plugin.configure(serverUrl=lake.twin.public_url, adoptExisting="identical")
                yield plugin

        yield heard, start


def said(lake: Lake, kind: str) -> Document:
    """What a program says of an object of this kind."""
    return ALL[kind].given(lake) if kind in ALL else test_adoption.said(lake, kind)


def named(lake: Lake, kind: str, known: Object) -> list[str]:
    """The ids of the live objects with the name of another one."""
    name = str(known.inputs.get("name", ""))
    return ALL[kind].named(lake, name) if kind in ALL else test_adoption.named(lake, kind, name)


def begun(plugin: Plugin, lake: Lake, kind: str) -> Object:
    """An object of an earlier run."""
    plugin.configure(serverUrl=lake.twin.public_url)
    return plugin.made(kind, said(lake, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_that_one_process_adopts_is_not_deleted_by_another(
    plugin: Plugin, lake: Lake, run: tuple[Engine, Starts], kind: str
) -> None:
    made = begun(plugin, lake, kind)
    heard, start = run
    with start() as default, start() as explicit:
        explicit.check(kind, made.inputs, name="renamed")
        assert explicit.create(kind, made.inputs, name="renamed").id == made.id
        default.delete_now(kind, made.id, made.inputs)
    assert named(lake, kind, made) == [made.id]
    assert f'{made.id} is not deleted: the resource "renamed" has it now' in heard.told()


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_that_the_state_gives_to_two_resources_stays_when_one_of_them_leaves(
    plugin: Plugin, lake: Lake, run: tuple[Engine, Starts], kind: str
) -> None:
    made = begun(plugin, lake, kind)
    _, start = run
    with start() as first, start() as second:
        first.diff(kind, made.inputs, made.inputs, made.outputs, object_id=made.id, name="stays")
        second.delete_now(kind, made.id, made.inputs, "leaves")
    assert named(lake, kind, made) == [made.id]


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_of_two_identical_ones_is_refused_at_preview_whatever_process_serves_it(
    plugin: Plugin, lake: Lake, run: tuple[Engine, Starts], kind: str
) -> None:
    inputs = plugin.checked(kind, said(lake, kind))
    _, start = run
    with start() as first, start() as second:
        first.create(kind, inputs, preview=True, name="first")
        message = error(lambda: second.create(kind, inputs, preview=True, name="second"))
    label = ALL[kind].label(lake, plugin.name) if kind in ALL else plugin.name
    words = re.sub("[A-Z]", lambda letter: f" {letter[0].lower()}", kind)
    assert f'The program has {words} "{label}" already, as resource "first"' in message


@pytest.mark.parametrize("kind", KINDS)
def test_two_resources_of_one_object_are_refused_at_preview_whatever_process_serves_them(
    plugin: Plugin, lake: Lake, run: tuple[Engine, Starts], kind: str
) -> None:
    made = begun(plugin, lake, kind)
    _, start = run
    with start() as first, start() as second:
        first.diff(kind, made.inputs, made.inputs, made.outputs, object_id=made.id, name="first")
        message = error(
            lambda: second.diff(kind, made.inputs, made.inputs, made.outputs, object_id=made.id, name="second")
        )
    assert f'The resources "first" ({urn(kind, "first")}) and "second" both have {made.id}' in message


@pytest.mark.parametrize("kind", KINDS)
def test_a_replacement_that_the_engine_does_not_announce_keeps_the_object_and_says_so(
    plugin: Plugin, lake: Lake, run: tuple[Engine, Starts], kind: str
) -> None:
    """`--replace` and a taint: one check without the state's inputs, no comparison, and the delete at the end."""
    made = begun(plugin, lake, kind)
    heard, start = run
    with start() as process:
        process.check(kind, made.inputs)
        assert process.create(kind, made.inputs).id == made.id
        process.delete_now(kind, made.id, made.inputs)
    assert named(lake, kind, made) == [made.id]
    assert "Nothing was replaced" in heard.told()


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_killed_run_left_to_be_deleted_stays_where_the_program_still_has_it(
    plugin: Plugin, lake: Lake, run: tuple[Engine, Starts], kind: str
) -> None:
    made = begun(plugin, lake, kind)
    _, start = run
    with start() as process:
        process.diff(kind, made.inputs, made.inputs, made.outputs, object_id=made.id)
        process.delete_now(kind, made.id, made.inputs)
    assert named(lake, kind, made) == [made.id]


@pytest.mark.parametrize("first", [False, True], ids=["created first", "deleted first"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_replacement_that_is_compared_with_nothing_is_a_new_object(
    plugin: Plugin,
    lake: Lake,
    run: tuple[Engine, Starts],
    kind: str,
    first: bool,  # noqa: FBT001
) -> None:
    """A replacement trigger and `replace_with`: two checks and no comparison; the old process deletes."""
    made = begun(plugin, lake, kind)
    _, start = run
    with start() as old, start() as new:
        new.check(kind, made.inputs, made.inputs)
        new.check(kind, made.inputs)
        if first:
            old.delete_now(kind, made.id, made.inputs)
        again = new.create(kind, made.inputs)
        if not first:
            old.delete_now(kind, made.id, made.inputs)
    # The server has one of these at a time.
    assert (again.id == made.id) == (kind in {TAG, PERMISSION} and not first)
    assert named(lake, kind, made) == [again.id]


@pytest.mark.parametrize("first", [False, True], ids=["created first", "deleted first"])
@pytest.mark.parametrize("compared", [False, True], ids=["not compared", "compared"])
@pytest.mark.parametrize("name", ["thing", "renamed"])
def test_cursors_go_over_whichever_process_deletes_and_whatever_the_engine_shows(  # noqa: PLR0917, the cases
    plugin: Plugin,
    lake: Lake,
    run: tuple[Engine, Starts],
    name: str,
    compared: bool,  # noqa: FBT001
    first: bool,  # noqa: FBT001
) -> None:
    plugin.configure(serverUrl=lake.twin.public_url)
    free = stream("bare", syncMode="incremental_append", cursorField=["updated_at"])
    made = plugin.made("connection", lake.connection(free))
    write_state(lake, made.id, "bare")
    before = state(lake, made.id)
    _, start = run
    with start() as old, start() as new:
        new.check("connection", made.inputs, made.inputs, name)
        if compared:
            new.diff("connection", made.inputs, made.inputs, made.outputs, object_id=made.id, name=name)
        new.check("connection", made.inputs, name=name)
        if first:
            old.delete_now("connection", made.id, made.inputs)
        again = new.create("connection", made.inputs, name=name, seconds=30)
        if not first:
            old.delete_now("connection", made.id, made.inputs)
    assert state(lake, again.id) == before != {}
    assert named(lake, "connection", made) == [again.id]
    assert lake.live("connections", again.id)["status"] == "active"


def test_a_delete_that_fails_may_be_tried_again(plugin: Plugin, lake: Lake, run: tuple[Engine, Starts]) -> None:
    made = begun(plugin, lake, "source")
    _, start = run
    with start() as process:
        lake.fault(method="DELETE", path="/sources/", status=400)
        assert "400" in error(lambda: process.delete_now("source", made.id, made.inputs))
        process.delete_now("source", made.id, made.inputs)
    assert named(lake, "source", made) == []


def test_an_object_that_is_looked_up_by_its_id_stays(plugin: Plugin, lake: Lake, run: tuple[Engine, Starts]) -> None:
    made = begun(plugin, lake, "source")
    _, start = run
    with start() as reads, start() as deletes:
        looked_up(reads, made.id, {}, {})
        message = error(lambda: deletes.delete_now("source", made.id, made.inputs, "leaves"))
    assert f"pulumi state delete '{urn('source', 'leaves')}'" in message
    assert named(lake, "source", made) == [made.id]


def test_an_object_that_is_looked_up_with_inputs_stays(plugin: Plugin, lake: Lake, run: tuple[Engine, Starts]) -> None:
    """With the SDK's option `id`, the engine sends the program's inputs twice."""
    made = begun(plugin, lake, "source")
    _, start = run
    with start() as process:
        looked_up(process, made.id, lake.source(), lake.source())
        assert "looks it up by its id" in error(lambda: process.delete_now("source", made.id, made.inputs))
    assert named(lake, "source", made) == [made.id]


def test_a_refresh_of_what_was_looked_up_by_its_id_keeps_no_object(
    plugin: Plugin, lake: Lake, run: tuple[Engine, Starts]
) -> None:
    """`pulumi destroy --refresh`: the state has the object twice, and the program does not run."""
    made = begun(plugin, lake, "source")
    _, start = run
    with start() as process:
        looked_up(process, made.id, {}, made.outputs)
        process.delete_now("source", made.id, made.inputs)
    assert named(lake, "source", made) == []


def looked_up(plugin: Plugin, object_id: str, inputs: Values, outputs: Values) -> None:
    """Read an object as the engine reads one that the program does not manage."""
    request = provider_pb2.ReadRequest(
        id=object_id, urn=urn("source", "looks"), inputs=encode(inputs), properties=encode(outputs)
    )
    assert plugin.stub.Read(request).id == object_id


def test_a_workspace_that_still_holds_objects_is_not_deleted(plugin: Plugin, lake: Lake) -> None:
    workspace = plugin.made("workspace", {})
    source = lake.api("POST", "/sources", lake.source() | {"name": "another's", "workspaceId": workspace.id})

    message = error(lambda: plugin.delete("workspace", workspace.id, workspace.inputs))

    assert f'source "another\'s" ({source["sourceId"]})' in message
    assert lake.live("sources", source["sourceId"])["configuration"]
    plugin.delete("workspace", workspace.id, workspace.inputs | {"forceDestroy": True})
    assert test_adoption.named(lake, "workspace", plugin.name) == []


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_a_replacement_in_another_workspace_adopts_what_is_there(
    plugin: Plugin, lake: Lake, run: tuple[Engine, Starts], kind: str
) -> None:
    """Compared with nothing: what has the name there is not the object that is replaced."""
    made = begun(plugin, lake, kind)
    there = plugin.made("workspace", {})
    moved = made.inputs | {"workspaceId": there.id}
    other = lake.api("POST", f"/{kind}s", said(lake, kind) | {"name": plugin.name, "workspaceId": there.id})
    _, start = run
    with start() as process:
        process.check(kind, moved, made.inputs)
        process.check(kind, moved)
        assert process.create(kind, moved).id == other[f"{kind}Id"]


def test_a_plugin_that_serves_one_engine_after_another_begins_another_run(unconfigured: Plugin, lake: Lake) -> None:
    """Under a debugger (PULUMI_DEBUG_PROVIDERS)."""
    with serving() as (_, first), serving() as (_, second):
        unconfigured.stub.Attach(plugin_pb2.PluginAttach(address=first))
        made = begun(unconfigured, lake, "source")
        other = lake.api("POST", "/sources", lake.source() | {"name": f"{unconfigured.name} other"})
        unconfigured.delete_now("source", other["sourceId"], lake.source(), "other")
        unconfigured.stub.Attach(plugin_pb2.PluginAttach(address=second))
        unconfigured.next_run()
        unconfigured.delete_now("source", made.id, made.inputs)
    assert named(lake, "source", made) == []


def test_a_run_leaves_nothing_behind(plugin: Plugin, lake: Lake, run: tuple[Engine, Starts], folder: Path) -> None:
    _, start = run
    with start() as first, start() as second:
        for process in (first, second):
            process.made("source", lake.source() | {"name": f"{plugin.name} {id(process)}"})
        [record] = folder.glob("pulumi-airbyte-*/*.db")
        assert stat.S_IMODE(record.parent.stat().st_mode) == 0o700
    assert list(folder.glob("pulumi-airbyte-*/*")) == []


KILLED = """
import os, signal, sys
from pulumi_airbyte.provider.run_record import RunRecord
record = RunRecord.of("127.0.0.1:1")
record.take("an-object", "a-resource", "made")
record.delete("another", "b", "")
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(folder: Path) -> None:
    """A process of a run that ends by a kill, and its engine with it."""
    wrapped = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {KILLED!r}])"
    environment = {"TMPDIR": str(folder), "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", wrapped], check=True, env=environment)


def test_a_killed_run_says_nothing_to_the_next_one_at_the_same_address(folder: Path) -> None:
    killed(folder)
    record = RunRecord.of("127.0.0.1:1")
    assert record.holder("an-object") is None
    record.close()


def test_the_next_plugin_removes_the_record_of_a_killed_run(folder: Path) -> None:
    killed(folder)
    assert len(list(folder.glob("pulumi-airbyte-*/*.db"))) == 1
    RunRecord.of("127.0.0.1:2").close()
    assert list(folder.glob("pulumi-airbyte-*/*")) == []


def test_a_record_with_deletes_stays_for_a_process_that_the_same_engine_starts_later(folder: Path) -> None:
    first = RunRecord.of("127.0.0.1:1")
    assert first.delete("an-object", "a-resource", "entry") is None
    first.close()
    later = RunRecord.of("127.0.0.1:1")
    assert later.deleted("", "entry") == "an-object"
    later.close()


def test_processes_of_another_layout_refuse_to_share_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    record = RunRecord.of("127.0.0.1:1")
    monkeypatch.setattr(run_record, "FORMAT", 2)
    with pytest.raises(AirbyteError, match="one version of pulumi-airbyte"):
        RunRecord.of("127.0.0.1:1")
    record.close()


def test_a_folder_that_others_may_write_is_refused(folder: Path) -> None:
    RunRecord.of("127.0.0.1:1").close()
    [records] = folder.iterdir()
    records.chmod(0o777)
    with pytest.raises(AirbyteError, match="not private to this user"):
        RunRecord.of("127.0.0.1:1")


@pytest.mark.parametrize("taken", [True, False], ids=["a file is there", "no folder is there"])
def test_a_folder_that_can_not_be_made_is_refused_in_words(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    taken: bool,  # noqa: FBT001
) -> None:
    RunRecord.of("127.0.0.1:1").close()
    [records] = folder.iterdir()
    records.rmdir()
    if taken:
        records.write_text("", encoding="utf-8")
    else:
        monkeypatch.setattr(tempfile, "gettempdir", lambda: str(folder / "none"))
    with pytest.raises(AirbyteError, match="Set TMPDIR"):
        RunRecord.of("127.0.0.1:1")


def test_a_run_ends_where_an_open_file_can_not_be_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = RunRecord.of("127.0.0.1:1")
    remove, tried = Path.unlink, []

    def refused_at_first(path: Path, **how: bool) -> None:
        tried.append(path)
        if len(tried) == 1:
            raise PermissionError
        remove(path, **how)

    monkeypatch.setattr(Path, "unlink", refused_at_first)
    record.close()
    assert list(folder.glob("pulumi-airbyte-*/*")) == []


def test_the_record_of_a_run_in_another_container_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that containers share: whether a process lives can be seen only in its own."""
    killed(folder)
    monkeypatch.setattr(run_record, "_namespace", lambda: "another-")
    RunRecord.of("127.0.0.1:2").close()
    assert len(list(folder.glob("pulumi-airbyte-*/*.db"))) == 1


def test_an_object_goes_to_the_first_that_takes_it_and_to_nobody_once_it_is_deleted() -> None:
    record = RunRecord()
    assert record.take("x", "a", "kept") == Holder("a", "kept")
    assert record.take("x", "b", "adopted") == Holder("a", "kept")
    record.leave("a", "entry", "{}")
    assert record.take("x", "b", "adopted") == Holder("b", "adopted")
    assert record.delete("x", "a", "entry") == Holder("b", "adopted")
    assert record.delete("y", "a", "") is None
    assert record.take("y", "b", "adopted") == Holder("a", "deleted")
    record.close()
