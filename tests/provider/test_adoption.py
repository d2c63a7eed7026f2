"""A create takes over what is identical, refuses what differs, and makes nothing twice."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2
from pulumi_airbyte.provider.properties import encode

from tests.provider.lake import Document, Lake, stream
from tests.provider.plugin import Object, Plugin, Values, error, urn

KINDS = ("source", "destination", "connection", "workspace")
Own = tuple[Plugin, Lake]


@pytest.fixture
def own(unconfigured: Plugin, lake: Lake) -> Own:
    """A plugin that adopts what is identical."""
    unconfigured.configure(serverUrl=lake.twin.public_url, adoptExisting="identical")
    lake.twin.clear_calls()
    return unconfigured, lake


def said(lake: Lake, kind: str) -> Document:
    """What a program says of an object of this kind."""
    return {
        "source": lake.source(),
        "destination": lake.destination(key="a-key"),
        "connection": lake.connection(stream("cursor_default", syncMode="incremental_append")),
        "workspace": {},
    }[kind]


def create(plugin: Plugin, kind: str, inputs: Values, name: str = "thing", *, preview: bool = False) -> str:
    """A create for a resource of this name; the id of what it made."""
    request = provider_pb2.CreateRequest(urn=urn(kind, name), properties=encode(inputs), preview=preview, timeout=0.5)
    return str(plugin.stub.Create(request).id)


def named(lake: Lake, kind: str, name: str) -> list[str]:
    """The ids of the live objects of a name."""
    pages = [lake.api("GET", f"/{kind}s?limit=100&offset={offset}")["data"] for offset in range(0, 1000, 100)]
    found = [item for page in pages for item in page]
    return [str(item[f"{kind}Id"]) for item in found if item["name"] == name]


def next_run(plugin: Plugin, lake: Lake) -> None:
    """Let the plugin forget, as the engine's next run does."""
    plugin.next_run()
    lake.twin.clear_calls()


def writes(lake: Lake) -> list[str]:
    return [asked for asked in lake.asked() if not asked.startswith(("GET", "SPEC"))]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_and_identical_is_adopted(own: Own, kind: str) -> None:
    plugin, lake = own
    made = plugin.made(kind, said(lake, kind))
    next_run(plugin, lake)

    plugin.create(kind, made.inputs, preview=True)
    assert writes(lake) == []
    next_run(plugin, lake)
    adopted = plugin.create(kind, made.inputs)

    # What was written again has a new version.
    assert without_versions(adopted) == without_versions(made)
    written: dict[str, list[str]] = {"workspace": [], "connection": []}
    assert writes(lake) == written.get(kind, [f"PUT /{kind}s/{made.id}"])
    assert plugin.refreshed(kind, adopted).inputs == made.inputs


def test_the_secrets_of_an_adopted_source_are_those_of_the_program(own: Own) -> None:
    plugin, lake = own
    inputs = plugin.checked("source", lake.source())
    lake.api(
        "POST", "/sources", lake.source(credentials={"method": "token", "token": "another"}) | {"name": plugin.name}
    )

    plugin.create("source", inputs)

    [actor] = [actor for actor in lake.twin.store.actors if actor.name == plugin.name]
    assert "another" not in json.dumps(actor.configuration)
    assert len(named(lake, "source", plugin.name)) == 1


def without_versions(known: Object) -> Object:
    return replace(known, outputs={key: value for key, value in known.outputs.items() if key != "secretVersions"})


DIFFERENT: dict[str, tuple[Document, str]] = {
    "source": ({"configuration": {"host": "elsewhere.example.com", "credentials": {"method": "token", "token": "x"}}},
               "configuration.host"),
    "destination": ({"configuration": {"path": "elsewhere", "key": "a-key"}}, "configuration.path"),
    "connection": ({"prefix": "p_"}, "prefix"),
    "workspace": ({"notifications": {"failure": {"email": {"enabled": False}}}}, "notifications.failure.email.enabled"),
}  # fmt: skip


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_and_differs_is_refused_with_the_places_and_the_import_line(
    own: Own,
    kind: str,
    preview: bool,  # noqa: FBT001
) -> None:
    plugin, lake = own
    made = plugin.made(kind, said(lake, kind))
    next_run(plugin, lake)
    change, place = DIFFERENT[kind]
    inputs = plugin.checked(kind, said(lake, kind) | change)
    lake.twin.clear_calls()

    message = error(lambda: plugin.create(kind, inputs, preview=preview))

    assert f'{kind} "{plugin.name}" ({made.id}) already, and it differs from the program: see {place}.' in message
    assert f"pulumi import {urn(kind).split('$')[1].split('::')[0]} thing {made.id} --parent" in message
    assert "elsewhere" not in message
    assert writes(lake) == []


@pytest.mark.parametrize("kind", KINDS)
def test_several_of_one_identity_are_refused(own: Own, kind: str) -> None:
    plugin, lake = own
    inputs = plugin.checked(kind, said(lake, kind))
    twins = [plugin.create(kind, inputs | {"name": name}, name=name).id for name in (plugin.name, "its twin")]
    lake.api("PATCH", f"/{kind}s/{twins[1]}", {"name": plugin.name})
    next_run(plugin, lake)

    message = error(lambda: plugin.create(kind, inputs))

    assert f"Airbyte has 2 of {kind}" in message
    assert ", ".join(sorted(twins)) in message


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 504, "commit": True}, {"status": 500, "commit": True}])
@pytest.mark.parametrize("kind", KINDS)
def test_a_create_whose_answer_is_lost_is_found_and_not_repeated(own: Own, kind: str, fault: Document) -> None:
    plugin, lake = own
    lake.fault(method="POST", path=f"/{kind}s$", **fault)
    made = plugin.made(kind, said(lake, kind))
    [(_, hits)] = lake.twin.twin.faults.orders()
    assert hits == 1
    assert named(lake, kind, plugin.name) == [made.id]


@pytest.mark.parametrize("fault", [{"status": 502}, {"status": 503}, {"status": 504}, {"drop": "before"}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_create_whose_object_does_not_come_says_that_the_outcome_is_not_known_and_is_not_repeated(
    own: Own, kind: str, fault: Document
) -> None:
    plugin, lake = own
    inputs = plugin.checked(kind, said(lake, kind))
    lake.fault(method="POST", path=f"/{kind}s$", **fault)

    message = error(lambda: plugin.create(kind, inputs, seconds=0.05))

    assert f'Whether {kind} "{plugin.name}" was made is not known' in message
    assert "Run `pulumi up` again" in message
    assert named(lake, kind, plugin.name) == []
    assert writes(lake) == [f"POST /{kind}s"]
    plugin.next_run()
    made = plugin.create(kind, inputs)
    assert named(lake, kind, plugin.name) == [made.id]


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503, "commit": True}], ids=str)
def test_a_server_that_failed_is_looked_at_once(own: Own, fault: Document) -> None:
    plugin, lake = own
    inputs = plugin.checked("source", lake.source())
    lake.fault(method="POST", path="/sources$", **fault)
    if "commit" in fault:
        made = plugin.create("source", inputs)
        assert named(lake, "source", plugin.name) == [made.id]
    else:
        lake.twin.clear_calls()
        assert "500" in error(lambda: plugin.create("source", inputs, seconds=60))
        assert len([call for call in lake.asked() if call == "GET /sources"]) == 2


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_identical_is_refused_with_the_import_line_and_the_setting_unless_adoption_is_asked_for(
    own: Own,
    kind: str,
    preview: bool,  # noqa: FBT001
) -> None:
    plugin, lake = own
    made = plugin.made(kind, said(lake, kind))
    plugin.configure(adoptExisting="never", serverUrl=lake.twin.public_url)
    lake.twin.clear_calls()

    message = error(lambda: plugin.create(kind, made.inputs, preview=preview))

    assert f'Airbyte has {kind} "{plugin.name}" ({made.id}) already, and it is identical.' in message
    assert f"pulumi import {urn(kind).split('$')[1].split('::')[0]} thing {made.id} --parent" in message
    assert "adoptExisting" in message
    assert writes(lake) == []


def test_a_connection_that_a_broken_off_create_left_is_finished(own: Own) -> None:
    plugin, lake = own
    basic = {"scheduleType": "basic", "basicTiming": "Every 2 HOURS"}
    inputs = plugin.checked("connection", lake.connection(schedule=basic))
    left = plugin.create("connection", {**inputs, "schedule": {"scheduleType": "manual"}})
    next_run(plugin, lake)

    assert plugin.create("connection", inputs).id == left.id

    assert lake.live("connections", left.id)["schedule"] == basic
    assert writes(lake) == ["POST /connections/update"]


def test_what_was_deleted_is_not_adopted(own: Own) -> None:
    plugin, lake = own
    source = plugin.made("source", lake.source())
    connection = plugin.made("connection", lake.connection(sourceId=source.id))
    lake.api("DELETE", f"/sources/{source.id}")
    next_run(plugin, lake)
    again = plugin.create("source", source.inputs)
    assert again.id != source.id
    inputs = {**connection.inputs, "sourceId": again.id}
    assert plugin.create("connection", inputs).id != connection.id


def test_a_renamed_resource_keeps_its_object_and_the_old_name_does_not_delete_it(own: Own) -> None:
    plugin, lake = own
    made = plugin.made("source", lake.source())
    next_run(plugin, lake)
    assert create(plugin, "source", made.inputs, "renamed") == made.id
    plugin.delete_now("source", made.id)
    assert named(lake, "source", plugin.name) == [made.id]

    next_run(plugin, lake)  # as after a kill between the two: the state has both names
    assert diff(plugin, made, "renamed") == made.id
    plugin.delete_now("source", made.id)
    assert named(lake, "source", plugin.name) == [made.id]


def diff(plugin: Plugin, known: Object, name: str) -> str:
    """A diff of an unchanged source for a resource of this name."""
    plugin.diff("source", known.inputs, known.inputs, known.outputs, object_id=known.id, name=name)
    return known.id


def test_two_resources_of_a_program_do_not_get_one_object(own: Own) -> None:
    plugin, lake = own
    made = plugin.made("source", lake.source())
    assert 'as resource "thing"' in error(lambda: create(plugin, "source", made.inputs, "second"))

    next_run(plugin, lake)
    diff(plugin, made, "first")
    assert 'as resource "first"' in error(lambda: create(plugin, "source", made.inputs, "second"))

    next_run(plugin, lake)
    assert create(plugin, "source", made.inputs, "second") == made.id
    assert f'The resources "second" ({urn("source", "second")}) and "first" both' in error(
        lambda: diff(plugin, made, "first")
    )


def test_a_replacement_is_a_new_object_and_adopts_what_a_killed_run_left(own: Own) -> None:
    plugin, lake = own
    made = plugin.made("source", lake.source())
    next_run(plugin, lake)
    diff(plugin, made, "thing")
    plugin.check("source", made.inputs)
    left = plugin.create("source", made.inputs)
    assert left.id != made.id

    next_run(plugin, lake)
    diff(plugin, made, "thing")
    plugin.check("source", made.inputs)
    assert plugin.create("source", made.inputs).id == left.id
    plugin.delete_now("source", made.id)
    assert named(lake, "source", plugin.name) == [left.id]


@settings(
    max_examples=settings().max_examples // 6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from([*KINDS, "forget", "lose"]), min_size=3, max_size=8), st.integers(0))
def test_whatever_is_made_and_forgotten_there_is_one_of_each(own: Own, steps: list[str], number: int) -> None:
    plugin, lake = own
    name = f"random {number}"
    made = set()
    for step in steps:
        if step == "forget":
            next_run(plugin, lake)
        elif step == "lose":
            lake.fault(method="POST", path="s$", drop="after")
        else:
            next_run(plugin, lake)
            plugin.create(step, plugin.checked(step, said(lake, step) | {"name": name}))
            made.add(step)
    lake.twin.twin.faults.clear()
    assert {kind: len(named(lake, kind, name)) for kind in made} == dict.fromkeys(made, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_create_that_the_engine_tries_again_takes_what_this_run_has_made(
    plugin: Plugin, lake: Lake, kind: str
) -> None:
    """An error hook asks for that, also after a create that made its object, but not to the end."""
    inputs = plugin.checked(kind, said(lake, kind))
    assert create(plugin, kind, inputs) == create(plugin, kind, inputs)
