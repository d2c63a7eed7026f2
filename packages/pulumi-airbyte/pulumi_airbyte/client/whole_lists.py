"""Read complete lists, by which creates and deletes are decided.

Airbyte's paged lists have no order (LIMIT and OFFSET without ORDER BY): updating a row between two pages moves it, and
other rows are skipped. A single SQL statement has no such gaps. So a list is complete if it fits into the first page,
or if the Config API returns it in one answer. Without that API, all pages are read until two readings agree.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from pulumi_airbyte.client.calls import PAGE, Calls
from pulumi_airbyte.client.errors import AirbyteError, Busy, NotFound, Unsettled
from pulumi_airbyte.client.models import Actor, ActorKind, Connection, Wire, Workspace, parse, parse_actor
from pulumi_airbyte.client.settings import ClientSettings
from pulumi_airbyte.values import JsonObject

if TYPE_CHECKING:
    from pulumi_airbyte.client.transport import Query

Item = dict[str, Any]
EVERYTHING: Final = 100_000
"""A page size that makes the Config API return all sources or destinations; the default is 20."""
AT_ONCE: Final[dict[str, JsonObject]] = {
    "sources": {"pageSize": EVERYTHING},
    "destinations": {"pageSize": EVERYTHING},
    "connections": {},
}
"""Collections that the Config API lists in one statement, with the extra fields of the request."""
NEEDED: Final = "Lists in one statement need"


@dataclass(frozen=True)
class Listing:
    """Which objects to list.

    Attributes:
        collection: such as `sources`.
        key: name of the id field.
        workspace_id: the workspace; empty for all visible ones.
    """

    collection: str
    key: str
    workspace_id: str = ""

    @property
    def what(self) -> str:
        """The request in words."""
        return f"list {self.collection}"

    @property
    def query(self) -> "Query":
        """The query that restricts the public list to the workspace."""
        return within_workspace(self.workspace_id)


def within_workspace(workspace_id: str) -> "Query":
    """The query that restricts a public list to a workspace; empty for an empty id."""
    return [("workspaceIds", workspace_id)] if workspace_id else []


@dataclass(frozen=True)
class Reading:
    """One reading of all pages of a list.

    Attributes:
        items: the objects by id.
        one_page: whether one page, and so one statement, had all of them.
        repeated: whether an id came twice. Then rows moved between pages, and others may have been skipped.
    """

    items: dict[str, Item]
    one_page: bool
    repeated: bool


class Ends(Wire):
    """A connection's name, source and destination (part of ConnectionRead and ConnectionResponse)."""

    connection_id: str = Field(alias="connectionId")
    name: str
    source_id: str = Field(alias="sourceId")
    destination_id: str = Field(alias="destinationId")


class WholeLists(Calls):
    """Complete lists. Every method raises AirbyteError; Unsettled, if a list changed each time it was read."""

    def __init__(self, settings: ClientSettings) -> None:
        super().__init__(settings)
        self._paged_only: set[str] = set()
        self._confirmed: set[str] = set()

    def every_actor(self, kind: ActorKind, workspace_id: str = "") -> list[Actor]:
        """All sources or destinations, without deleted ones."""
        listing = Listing(f"{kind}s", f"{kind}Id", workspace_id)
        return [parse_actor(kind, item, listing.what) for item in self._whole(listing)]

    def every_connection(self, workspace_id: str = "") -> list[Connection]:
        """All connections, without deleted ones."""
        listing = Listing("connections", "connectionId", workspace_id)
        return [parse(Connection, item, listing.what) for item in self._whole(listing)]

    def every_workspace(self) -> list[Workspace]:
        """All visible workspaces."""
        listing = Listing("workspaces", "workspaceId")
        return [parse(Workspace, item, listing.what) for item in self._whole(listing)]

    def every_end(self, workspace_id: str) -> list[Ends]:
        """Source and destination of each connection, without deleted ones. Two calls at most with the Config API."""
        listing = Listing("connections", "connectionId", workspace_id)
        rows = self._page(listing, 0)
        if len(rows) == PAGE:
            named = self._at_once(listing)
            rows = self._whole(listing) if named is None else list(named.values())
        return [parse(Ends, item, listing.what) for item in rows if _is_live(listing, item)]

    def ids(self, collection: str, key: str, workspace_id: str = "") -> frozenset[str]:
        """The ids of all objects of a collection (such as `sources`), without deleted ones."""
        listing = Listing(collection, key, workspace_id)
        return frozenset(str(item.get(key)) for item in self._whole(listing))

    def _whole(self, listing: Listing) -> list[Item]:
        reading = self._reading(listing)
        found = reading.items if reading.one_page else self._completed(listing, reading)
        if found is None:
            found = self._agreed(listing, reading)
        return [item for item in found.values() if _is_live(listing, item)]

    def _page(self, listing: Listing, offset: int) -> list[Item]:
        query = [*listing.query, ("limit", str(PAGE)), ("offset", str(offset))]
        return self._items(f"/{listing.collection}", listing.what, query)

    def _reading(self, listing: Listing) -> Reading:
        items: dict[str, Item] = {}
        repeated, offset = False, 0
        while True:
            page = self._page(listing, offset)
            found = {str(item.get(listing.key)): item for item in page}
            repeated = repeated or len(found) < len(page) or not items.keys().isdisjoint(found)
            # A page longer than requested means that the server does not page.
            ended = len(page) != PAGE or items.keys() >= found.keys()
            items |= found
            if ended:
                return Reading(items, one_page=offset == 0, repeated=repeated)
            offset += PAGE

    def _completed(self, listing: Listing, reading: Reading) -> dict[str, Item] | None:
        """The objects that one statement lists after the pages were read; None if there is no complete statement."""
        named = self._at_once(listing)
        if named is None:
            return None
        found = {key: item for key, item in reading.items.items() if key in named}
        for object_id in sorted(reading.items.keys() - named.keys()):
            if self._one(listing, object_id) is not None:
                # The object existed before the statement and still does, so the statement is incomplete.
                return None
        for object_id in sorted(named.keys() - reading.items.keys()):
            item = self._one(listing, object_id)
            if item is not None:
                found[object_id] = item
        return found

    def _agreed(self, listing: Listing, first: Reading) -> dict[str, Item]:
        """The later of two consecutive readings, if neither repeats an id and the later one has all of the earlier.

        An object created in between is fine: it moves no other row.
        """
        readings = [first]

        def again() -> dict[str, Item]:
            earlier, later = readings[-1], self._reading(listing)
            readings.append(later)
            if later.one_page or not (earlier.repeated or later.repeated or earlier.items.keys() - later.items.keys()):
                return later.items
            raise Unsettled(
                f"Airbyte's list of {listing.collection} changed each of the {len(readings)} times it was read.",
                "Run the command again when the workspace changes less. With the Config API (configUrl), the list is "
                "read in one statement, which concurrent changes don't affect.",
            )

        return self.patiently(lambda error: isinstance(error, Unsettled), again)

    def _at_once(self, listing: Listing) -> dict[str, Item] | None:
        """The objects of a workspace from one statement of the Config API, in its shape; None if that is impossible."""
        extra = AT_ONCE.get(listing.collection)
        if extra is None or not listing.workspace_id or not self.has_config_api:
            return None
        if listing.collection in self._paged_only:
            return None
        try:
            self._confirm(listing.workspace_id)
            body = {"workspaceId": listing.workspace_id, **extra}
            answer = parse(Item, self._config(f"/{listing.collection}/list", listing.what, body, needed_by=NEEDED), "")
            rows = parse(list[Item], answer.get(listing.collection), listing.what)
        except AirbyteError as error:
            # A busy Config API is asked again next time. One that is unreachable or forbidden is not.
            if not isinstance(error, Busy):
                self._paged_only.add(listing.collection)
            return None
        total = answer.get("num_connections")
        whole = not isinstance(total, int) or total <= len(rows)
        return {str(row.get(listing.key)): row for row in rows} if whole else None

    def _confirm(self, workspace_id: str) -> None:
        """Make sure that the Config API belongs to this server: that of another one would list an empty workspace."""
        if workspace_id not in self._confirmed:
            what = f"read workspace {workspace_id}"
            self._config("/workspaces/get", what, {"workspaceId": workspace_id}, needed_by=NEEDED)
            self._confirmed.add(workspace_id)

    def _one(self, listing: Listing, object_id: str) -> Item | None:
        """Read one object; None if it is deleted."""
        what = f"read {listing.collection.removesuffix('s')} {object_id}"
        try:
            item = parse(Item, self._public("GET", f"/{listing.collection}/{object_id}", what), what)
        except NotFound:
            return None
        return item if _is_live(listing, item) else None


def _is_live(listing: Listing, item: Item) -> bool:
    """Whether an object is not deleted. Deleted ones have no configuration, or the status `deprecated`."""
    if listing.collection == "connections":
        return item.get("status") != "deprecated"
    return listing.collection not in {"sources", "destinations"} or item.get("configuration") is not None
