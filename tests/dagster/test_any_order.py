"""Whatever happens in whatever order, in the end the marts are what they should be, and what a rebuild makes.

Files land, are overwritten, broken, repaired and removed; runs fail, die and overlap with those of another process.
Five examples by default, always the same. `LOTUS_EXAMPLES=100 pytest tests/dagster/test_any_order.py` tries others, and
makes the events of a failure fewer, which takes minutes.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dagster.world import MARTS, STREAMS, TABLES, Rows, World, Writer
from tests.support.postgres import Postgres

EXAMPLES = os.environ.get("LOTUS_EXAMPLES", "")
DAGSTERS_OWN = "ignore:AssetExecutionContext:DeprecationWarning"
WHOLE = [f"select * from {table} order by 1" for table in TABLES]
TODAY = "2026-01-20"
DAYS = ["2024-02-29", "2025-11-30", "2025-12-31", "2026-01-01", "2026-01-15", "2026-01-20"]
Event = Callable[[World], object]


def new_orders(day: str, number: int, gross: int, *, as_text: bool) -> Event:
    def happens(world: World) -> None:
        world.land("orders", day, [world.order(number, gross, "paid")], as_text=as_text)

    return happens


def a_late_file_of_an_old_version(day: str, number: int) -> Event:
    def happens(world: World) -> None:
        old, new = world.order(number, 1, "pending"), world.order(number, 2, "paid")
        world.land("orders", "2026-01-20", [new])
        world.look("orders")
        world.land("orders", day, [old])

    return happens


def a_new_refund(day: str, number: int, order_id: int, subtotal: int) -> Event:
    return lambda world: world.land("order_refunds", day, [world.refund(number, order_id, subtotal)])


def a_delivery_comes_twice(stream: str, day: str) -> Event:
    def happens(world: World) -> None:
        rows = [row for rows in world.delivered[stream].files.values() for row in rows][-2:]
        again = [{name: value for name, value in row.items() if name != "extracted"} for row in rows]
        if again:
            world.land(stream, day, again)

    return happens


def a_refresh(stream: str, *, truncating: bool) -> Event:
    return lambda world: world.refresh(stream, truncating=truncating)


def a_truncating_refresh_without(stream: str, gone: int, *, fails: bool) -> Event:
    def happens(world: World) -> None:
        world.look(stream)
        world.refresh(stream, truncating=True, but=gone)
        world.look(stream, fails=fails)

    return happens


def new_rows(world: World, stream: str, number: int) -> Rows:
    one = world.order(number, 30, "refunded") if stream == "orders" else world.refund(number, number, 3)
    return [one]


def an_overwrite(stream: str, which: int, number: int, *, with_a_later_file: bool) -> Event:
    """Row by row another content; the rows that the file had are gone, unless another file has them."""

    def happens(world: World) -> None:
        world.land(stream, TODAY, new_rows(world, stream, number), over=world.file(stream, which))
        if with_a_later_file:
            world.land(stream, TODAY, new_rows(world, stream, number % 3 + 1))

    return happens


def a_removal(stream: str, which: int) -> Event:
    return lambda world: world.remove(stream, which)


def a_bad_file(stream: str, day: str, *, null_key: bool) -> Event:
    return lambda world: world.land_bad(stream, day, null_key=null_key)


def a_file_that_is_overwritten_by_a_bad_one(stream: str, which: int, *, null_key: bool) -> Event:
    def happens(world: World) -> None:
        file = world.file(stream, which)
        if len(world.good(stream)) > 1 or file in world.delivered[stream].bad:
            world.land_bad(stream, TODAY, null_key=null_key, over=file)

    return happens


def a_repair(stream: str) -> Event:
    """The bad files are overwritten by good ones, under the same keys."""

    def happens(world: World) -> None:
        for file in sorted(world.delivered[stream].bad):
            world.land(stream, TODAY, new_rows(world, stream, 2), over=file)

    return happens


def a_release(stream: str) -> Event:
    """Nothing was repaired: what is bad goes back into quarantine."""
    return lambda world: world.run(stream, release=["*"])


def another_writer(stream: str, *, rebuilds: bool) -> Event:
    """Somebody builds the same model from a shell while Dagster does: one commits first, the other runs again."""

    def happens(world: World) -> None:
        assert WRITERS
        rebuild = ["--full-refresh"] if rebuilds else []
        WRITERS[0].begin(["run", "--select", f"tag:{STREAMS[stream].tag}", *rebuild], world.variables)
        try:
            world.look(stream)
        finally:
            failures = WRITERS[0].failures()
        assert all("conflict" in one for one in failures) or world.delivered[stream].bad, failures

    return happens


def a_look(stream: str, *, fails: bool = False, dies: bool = False, forgets: bool = False) -> Event:
    return lambda world: world.look(stream, fails=fails, dies=dies, forgets=forgets)


def everything_is_read(world: World) -> None:
    world.settle()


streams, days, numbers = st.sampled_from(["orders", "order_refunds"]), st.sampled_from(DAYS), st.integers(1, 3)
places = st.integers(0, 5)
EVENTS = st.one_of(
    st.builds(new_orders, days, numbers, st.integers(20, 99), as_text=st.booleans()),
    st.builds(a_late_file_of_an_old_version, days, numbers),
    st.builds(a_new_refund, days, st.integers(1, 3), numbers, st.integers(1, 9)),
    st.builds(a_delivery_comes_twice, streams, days),
    st.builds(a_refresh, streams, truncating=st.booleans()),
    st.builds(a_truncating_refresh_without, streams, numbers, fails=st.booleans()),
    st.builds(a_look, streams, fails=st.booleans(), dies=st.booleans(), forgets=st.booleans()),
    st.builds(an_overwrite, streams, places, numbers, with_a_later_file=st.booleans()),
    st.builds(a_removal, streams, places),
    st.builds(a_bad_file, streams, days, null_key=st.booleans()),
    st.builds(a_file_that_is_overwritten_by_a_bad_one, streams, places, null_key=st.booleans()),
    st.builds(a_repair, streams),
    st.builds(a_release, streams),
    st.builds(another_writer, streams, rebuilds=st.booleans()),
    st.just(everything_is_read),
)


def check(world: World) -> None:
    world.settle()
    marts, *grown = world.lake.queries(MARTS, *WHOLE)
    assert marts == world.sales()
    assert world.in_quarantine() == world.bad()
    world.dbt("run", "--full-refresh", "--select", "tag:shopify__orders", "tag:shopify__order_refunds", "fct_sales")
    assert world.lake.queries(*WHOLE) == grown


WRITERS: list[Writer] = []


@pytest.fixture(scope="module")
def writer() -> Iterator[None]:
    """A process for the runs of others."""
    made = Writer()
    WRITERS.append(made)
    yield
    WRITERS.clear()
    made.close()


@pytest.mark.nightly
@settings(
    max_examples=int(EXAMPLES or "5"),
    derandomize=not EXAMPLES,
    phases=[Phase.reuse, Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(events=st.lists(EVENTS, min_size=3, max_size=8), keeps_versions=st.booleans())
@pytest.mark.usefixtures("writer")
@pytest.mark.filterwarnings(DAGSTERS_OWN)
def test_after_any_order_of_events_the_marts_are_what_a_rebuild_makes(
    postgres: Postgres, events: list[Event], *, keeps_versions: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.ephemeral() as instance:
        world = World(Path(folder) / "lake", instance, postgres.new_catalog(), keeps_versions=keeps_versions)
        for happens in events:
            happens(world)
        check(world)


ORDER = new_orders("2026-01-05", 1, 50, as_text=False)
REFUND = a_new_refund("2026-01-05", 1, 1, 5)
LOOKS = [a_look("orders"), a_look("order_refunds")]
STORIES: dict[str, list[Event]] = {
    "a second refund": [ORDER, REFUND, everything_is_read, a_new_refund("2026-01-06", 2, 1, 7)],
    "the year's end": [
        *(new_orders(day, number, 50, as_text=False) for number, day in enumerate(DAYS[2:4])),
        everything_is_read,
        new_orders("2026-01-02", 3, 60, as_text=False),
    ],
    "part_10 after part_2": [ORDER for _ in range(10)] + [everything_is_read, ORDER],
    "late files in an old partition": [ORDER, *LOOKS, a_late_file_of_an_old_version("2024-02-29", 1)],
    "a crash between the request and the cursor": [ORDER, a_look("orders", forgets=True), ORDER, *LOOKS],
    "a crash before the run": [ORDER, a_look("orders", fails=True, forgets=True), *LOOKS],
    "a run that fails": [ORDER, a_look("orders", fails=True), new_orders("2026-01-06", 2, 60, as_text=False)],
    "a delivery that comes twice": [REFUND, ORDER, *LOOKS, a_delivery_comes_twice("order_refunds", "2026-01-06")],
    "a refresh in the middle": [ORDER, REFUND, *LOOKS, a_refresh("orders", truncating=False), ORDER],
    "a refresh that truncates": [
        ORDER,
        new_orders("2026-01-06", 2, 60, as_text=False),
        a_truncating_refresh_without("orders", 2, fails=False),
        new_orders("2026-01-07", 3, 60, as_text=True),
    ],
    "a refresh that truncates, whose run fails": [
        ORDER,
        new_orders("2026-01-06", 2, 60, as_text=False),
        a_truncating_refresh_without("orders", 2, fails=True),
        new_orders("2026-01-07", 3, 60, as_text=True),
    ],
}


OTHER = new_orders("2026-01-06", 2, 60, as_text=False)
STORIES |= {
    "a file that is overwritten while another lands": [
        ORDER,
        OTHER,
        everything_is_read,
        an_overwrite("orders", 0, 3, with_a_later_file=True),
        *LOOKS,
    ],
    "a run that dies after its commit, and a removal": [
        ORDER,
        OTHER,
        a_look("orders", dies=True),
        a_removal("orders", 1),
        *LOOKS,
    ],
    "bad files among good ones": [
        ORDER,
        a_bad_file("orders", "2026-01-05", null_key=False),
        OTHER,
        a_bad_file("orders", "2026-01-06", null_key=True),
        a_bad_file("order_refunds", "2025-11-30", null_key=True),
        REFUND,
    ],
    "bad files that are released, repaired and removed": [
        ORDER,
        a_bad_file("orders", "2026-01-05", null_key=True),
        everything_is_read,
        a_release("orders"),
        a_bad_file("orders", "2026-01-06", null_key=False),
        everything_is_read,
        a_repair("orders"),
    ],
    "a good file that is overwritten by a bad one": [
        ORDER,
        OTHER,
        everything_is_read,
        a_file_that_is_overwritten_by_a_bad_one("orders", 1, null_key=True),
        *LOOKS,
        new_orders("2026-01-07", 3, 60, as_text=True),
    ],
}
BY_DAY = {
    "late files in an old partition",
    "a refresh that truncates, whose run fails",
}
"""Stories in which rows are lost if a model or a sensor forgets; the simpler ones have tests of their own."""


@pytest.mark.filterwarnings(DAGSTERS_OWN)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in BY_DAY else pytest.mark.nightly) for name in STORIES]
)
def test_a_story_ends_as_it_should(tmp_path: Path, name: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance)
        for happens in STORIES[name]:
            happens(world)
        check(world)


@pytest.mark.filterwarnings(DAGSTERS_OWN)
def test_a_shop_that_never_had_a_refund_has_its_sales(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance, has_refunds=False)
        world.settle()
        refunds, marts = world.lake.queries("select count(*) from int_shopify__order_refunds", MARTS)
        assert (refunds, len(marts), marts) == ([(0,)], 1, world.sales())
        REFUND(world)
        ORDER(world)
        check(world)
        assert (
            instance.get_latest_materialization_event(dg.AssetKey(["main", "int_shopify__order_refunds"])) is not None
        )
