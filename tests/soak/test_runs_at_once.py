"""Several runs at once on a Postgres catalog, started at random moments: no row is lost, and none is there twice."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lotus_dagster.environment import Warehouse

from tests.soak.shells import Shell
from tests.soak.tables import LakeTables
from tests.soak.world import FolderStore, World
from tests.support.postgres import Postgres

ATTEMPTS = 10
FIRST_BUILDS = 4
"""Every so many rounds the catalog is a new one, so that the tables are created at once too."""
ORDERS, REFUNDS = ("--select", "tag:shopify__orders"), ("--select", "tag:shopify__order_refunds")
AT_ONCE = [ORDERS, ORDERS, ORDERS, REFUNDS, (*ORDERS, "--full-refresh")]
MARTS = ("--select", "fct_sales")


class Shells:
    """Processes that have dbt loaded, started when they are first needed: loading takes them seconds."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._started: list[Shell] = []

    def first(self, count: int) -> list[Shell]:
        new = [Shell({}, self._folder / str(number)) for number in range(len(self._started), count)]
        for one in new:
            self._stack.enter_context(one)
        for one in new:
            one.wait_until_ready()
        self._started += new
        return self._started[:count]


@pytest.fixture(scope="module")
def shells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shells]:
    with ExitStack() as stack:
        yield Shells(tmp_path_factory.mktemp("shells"), stack)


class Rounds:
    """Rounds in one lake, each begun by files that land."""

    def __init__(self, postgres: Postgres, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.postgres = postgres
        self.world = World(FolderStore(folder / "landing"), seed)
        self.warehouse = Warehouse(str(folder / "landing"), postgres.new_catalog(), str(folder / "tables"))
        self.retried: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LOTUS_LANDING": self.warehouse.landing,
            "LOTUS_CATALOG": self.warehouse.catalog,
            "LOTUS_LAKE_DATA": self.warehouse.data,
        }

    def begin_afresh(self, folder: Path) -> None:
        """The same files, and a catalog that has no tables yet."""
        self.warehouse = Warehouse(self.warehouse.landing, self.postgres.new_catalog(), str(folder))

    def land(self) -> None:
        for stream in ("orders", "order_refunds"):
            for _ in range(self.random.randint(1, 3)):
                self.world.land(stream, [self.world.row(stream) for _ in range(10)])
        if self.random.random() < 0.5:
            self.world.late_rows("orders")

    def run(self, shells: list[Shell]) -> None:
        """All shells at once, then those again that failed."""
        asked = [ORDERS, *self.random.choices(AT_ONCE, k=len(shells) - 1)]
        for shell, selection in zip(shells, asked, strict=True):
            shell.begin("run", *selection, delay=self.random.random() * 0.7, environment=self.environment)
        # While they list and read.
        self.world.new_rows("orders")
        ended = [shell.end() for shell in shells]
        assert any(one.success for one in ended), ended
        for shell, selection, ran in zip(shells, asked, ended, strict=True):
            if not ran.success:
                self.retried += ran.messages
                self._run_again(shell, selection)

    def _run_again(self, shell: Shell, selection: tuple[str, ...]) -> None:
        for _ in range(ATTEMPTS):
            again = shell.run("run", *selection, environment=self.environment)
            if again.success:
                return
            self.retried += again.messages
        raise AssertionError(f"failed {ATTEMPTS} times: {self.retried[-1]}")

    def settle(self, shell: Shell) -> None:
        ran = shell.run("run", *ORDERS, *REFUNDS, *MARTS, environment=self.environment)
        assert ran.success, ran.messages

    def differences(self) -> list[str]:
        """Of the tables that these runs build."""
        tables = LakeTables(self.warehouse)
        expected = self.world.should_hold(self.world.files.values())
        built = {name: expected[name] for name in ("int_shopify__orders", "int_shopify__order_refunds", "fct_sales")}
        return tables.differences(built) + tables.twice_read()


@pytest.mark.nightly
@pytest.mark.parametrize(("rounds", "at_once"), [(20, 2), (20, 4)])
def test_no_row_is_lost_and_none_is_there_twice(
    postgres: Postgres, tmp_path: Path, shells: Shells, rounds: int, at_once: int
) -> None:
    started = shells.first(at_once)
    lake = Rounds(postgres, tmp_path, seed=rounds * 10 + at_once)
    wrong: list[str] = []
    for number in range(rounds):
        if number and number % FIRST_BUILDS == 0:
            lake.begin_afresh(tmp_path / f"tables_{number}")
        lake.land()
        lake.run(started)
        lake.settle(started[0])
        wrong += [f"round {number}: {line}" for line in lake.differences()]
    print(f"{rounds} rounds of {at_once}: {len(lake.retried)} runs were repeated", *lake.retried[:5], sep="\n  ")
    assert not wrong, "\n".join(wrong)
