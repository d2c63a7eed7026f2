"""How an object can change hands in one run of the engine: a table of ways, each for all kinds of resources. Pure.

A way says how the program declares an object before and after, and by which command the engine is asked. What becomes
of the object is its end. A new way is one entry of `WAYS`.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from itertools import combinations
from typing import Any, Final

MANIFEST: Final = "declarativeSourceDefinition"
IMAGES: Final = ("sourceDefinition", "destinationDefinition")
NAMELESS: Final = ("permission", "oauthCredentials")
"""Kinds without a display name."""
UNSHOWN: Final = ("oauthCredentials",)
"""Kinds that the server does not show: a create can't find what is there, and their id says where they are."""
KINDS: Final = ("workspace", "tag", *NAMELESS, *IMAGES, MANIFEST, "source", "destination", "connection")


class End(StrEnum):
    """What becomes of an object.

    Attributes:
        KEPT: the state has the same object as before.
        NEW: the state has another object, which took over the cursors; the old one is deleted.
        REFUSED: the run failed and said what to do; the server and the state are as before.
        GONE: neither the state nor the server has it.
        LEFT: the server has it, the state has not.
    """

    KEPT = "kept"
    NEW = "new"
    REFUSED = "refused"
    GONE = "gone"
    LEFT = "left"


@dataclass(frozen=True)
class Declared:
    """How the program declares an object.

    Attributes:
        there: whether it does.
        suffix: of the resource's name.
        parent: the name of a component that holds it.
        alias: whether it has the URN of the declaration before as an alias.
        provider: the name of its explicit provider.
        version: the version of the package that its default provider is to have.
        label: of its display name.
        moved: whether a property has another value that needs a new object.
        replaces: whether a change of the display name needs a new object (`replace_on_changes`).
        trigger: the value that a change of replaces it (`replacement_trigger`).
        first_deleted: whether a replacement deletes before it creates (`delete_before_replace`).
        held: whether it is in a workspace that takes it along (`deleted_with`, which the SDK makes a dependency).
        retained: whether a delete leaves it on the server (`retain_on_delete`).
        imported: whether it says whose id it takes over (`import_`).
    """

    there: bool = True
    suffix: str = ""
    parent: str = ""
    alias: bool = False
    provider: str = ""
    version: str = ""
    label: str = ""
    moved: bool = False
    replaces: bool = False
    trigger: str = ""
    first_deleted: bool = False
    held: bool = False
    retained: bool = False
    imported: bool = False


class By(StrEnum):
    """What the engine is asked to do beside `up`.

    Attributes:
        UP: nothing else.
        REPLACE: `up --replace <urn>`.
        TARGET_REPLACE: `up --target-replace <urn>`.
        TAINT: `state taint <urn>` before.
        IMPORT: `import` of the object under the new name before.
        MOVE: `state move <urn>` to another stack before, which declares it from then on.
        REMOVE: `state remove <urn>` before.
        RENAME: `state rename <urn>` before.
        GO_ON: `up --continue-on-error`.
        REFRESH: `up --refresh`.
    """

    UP = "up"
    REPLACE = "--replace"
    TARGET_REPLACE = "--target-replace"
    TAINT = "taint"
    IMPORT = "import"
    MOVE = "state move"
    REMOVE = "state remove"
    RENAME = "state rename"
    GO_ON = "--continue-on-error"
    REFRESH = "--refresh"


MARKED: Final = frozenset({By.REPLACE, By.TARGET_REPLACE, By.TAINT})
"""Ways in which a person, and not the program, asks for a replacement: the provider is told nothing of it."""


@dataclass(frozen=True)
class Way:
    """How an object changes hands.

    Attributes:
        after: how the program declares it then.
        identical: its end where the provider adopts what is identical; one of several where more than one is right.
        never: its end where the provider adopts nothing; the same if none is given.
        before: how the program declared it until then.
        by: what the engine is asked.
        cannot: by kind, why there is no such way.
    """

    after: Declared
    identical: tuple[End, ...] = (End.KEPT,)
    never: tuple[End, ...] = ()
    before: Declared = Declared()
    by: By = By.UP
    cannot: Mapping[str, str] = field(default_factory=dict)

    def ends(self, adopt: str) -> tuple[End, ...]:
        """Its right ends for a setting of `adoptExisting`."""
        return self.never if adopt == "never" and self.never else self.identical

    def of(self, kind: str) -> "Way":
        """The way of a kind: without labels, if it has no display name."""
        if kind not in NAMELESS:
            return self
        return replace(self, before=replace(self.before, label=""), after=replace(self.after, label=""))

    @property
    def other_provider(self) -> bool:
        """Whether the resource gets another provider, and so another process of the plugin."""
        return (self.before.provider, self.before.version) != (self.after.provider, self.after.version)

    @property
    def same_urn(self) -> bool:
        """Whether the program declares the resource under the same URN."""
        return (self.before.suffix, self.before.parent) == (self.after.suffix, self.after.parent)

    @property
    def known(self) -> bool:
        """Whether the state knows the resource that the program declares after."""
        return self.by in {By.IMPORT, By.RENAME} or self.after.alias or (self.by is not By.REMOVE and self.same_urn)

    @property
    def replaced(self) -> bool:
        """Whether the comparison finds a property that needs a new object."""
        return self.after.moved or (self.after.replaces and self.before.label != self.after.label)

    @property
    def triggered(self) -> bool:
        """Whether the value that a change of replaces the object is another."""
        return self.by is not By.IMPORT and "" != self.before.trigger != self.after.trigger != ""

    def says(self) -> dict[str, tuple[Any, Any]]:
        """What the way is about: its declarations' values, where one of them is not the usual one."""
        usual, before, after = (asdict(each) for each in (Declared(), self.before, self.after))
        found = {name: (before[name], after[name]) for name in usual}
        return {name: pair for name, pair in found.items() if pair != (usual[name], usual[name])}


UNHELD: Final = {"workspace": "nothing on a server of one's own holds a workspace and takes it along"}
WAYS: Final[Mapping[str, Way]] = {
    "rename": Way(Declared(suffix="-2"), never=(End.REFUSED,)),
    "rename with alias": Way(Declared(suffix="-2", alias=True)),
    "rename in a run that goes on after errors": Way(Declared(suffix="-2"), never=(End.REFUSED,), by=By.GO_ON),
    "rename with a refresh": Way(Declared(suffix="-2"), never=(End.REFUSED,), by=By.REFRESH),
    "new parent": Way(Declared(parent="group"), never=(End.REFUSED,)),
    "new parent with alias": Way(Declared(parent="group", alias=True)),
    "default provider to explicit": Way(Declared(provider="a")),
    "explicit provider to default": Way(Declared(), before=Declared(provider="a")),
    "explicit provider to explicit": Way(Declared(provider="b"), before=Declared(provider="a")),
    "package version": Way(Declared(version="0.0.2"), before=Declared(version="0.0.1")),
    "--replace": Way(Declared(), never=(End.REFUSED,), by=By.REPLACE),
    "--target-replace": Way(Declared(), never=(End.REFUSED,), by=By.TARGET_REPLACE),
    "taint": Way(Declared(), never=(End.REFUSED,), by=By.TAINT),
    "a property that replaces": Way(Declared(moved=True), (End.NEW,)),
    "replace_on_changes": Way(Declared(label=" 2", replaces=True), (End.NEW,)),
    "replacement trigger": Way(
        Declared(trigger="2"), (End.KEPT, End.NEW), (End.REFUSED, End.NEW), before=Declared(trigger="1")
    ),
    "delete before replace": Way(Declared(moved=True, first_deleted=True), (End.NEW,)),
    "removed": Way(Declared(there=False), (End.GONE,)),
    "deleted_with": Way(Declared(there=False), (End.GONE,), before=Declared(held=True), cannot=UNHELD),
    "retain_on_delete": Way(Declared(there=False), (End.LEFT,), before=Declared(retained=True)),
    "import of what is there": Way(Declared(suffix="-2", imported=True)),
    "pulumi import of what another resource has": Way(Declared(suffix="-2"), by=By.IMPORT),
    "state moved to another stack": Way(Declared(), by=By.MOVE),
    "state removed": Way(Declared(), never=(End.REFUSED,), by=By.REMOVE),
    "state renamed": Way(Declared(suffix="-2"), by=By.RENAME),
}


def both(one: Way, other: Way) -> Way | None:
    """Two ways in one run; None where they contradict each other, or where one of them is a part of the other."""
    ours, theirs = one.says(), other.says()
    asked = {one.by, other.by} - {By.UP}
    if len(asked) > 1 or any(ours[name] != theirs[name] for name in ours.keys() & theirs.keys()):
        return None
    said = ours | theirs
    before, after = (replace(Declared(), **{name: pair[side] for name, pair in said.items()}) for side in (0, 1))
    pair = Way(after, before=before, by=next(iter(asked), By.UP))
    parts = {(way.before, way.after, way.by) for way in (one, other)}
    return None if (pair.before, pair.after, pair.by) in parts else pair


def pairs(ways: Mapping[str, Way]) -> dict[str, Way]:
    """All pairs of ways, by both names."""
    found = {f"{one} + {other}": both(ways[one], ways[other]) for one, other in combinations(ways, 2)}
    return {name: pair for name, pair in found.items() if pair is not None}


def impossible(way: Way) -> str:
    """Why the engine does no such thing; empty where it does."""
    if way.after.imported and not way.known and way.replaced:
        return "the engine refuses to replace what still says whose id it takes over"
    return ""


def end(way: Way, old: str, new: str | None, live: Collection[str], *, refused: bool) -> End | None:
    """What became of an object; None where the server and the state contradict each other.

    Args:
        way: how it changed hands.
        old: its id.
        new: the id that the state has then.
        live: the ids on the server.
        refused: whether the run failed.
    """
    if refused:
        return End.REFUSED if old in live else None
    if new is None:
        return End.LEFT if old in live else End.GONE
    if new not in live:
        return None
    stays = way.before.retained or way.by is By.REMOVE
    return End.KEPT if new == old else End.NEW if (old in live) == stays else None


def right_ends(way: Way, kind: str, adopt: str) -> set[End]:
    """The right ends by rule, for any combination of ways.

    Who is not known to replace something takes over what is identical, or is refused; a replacement makes a new object.
    What a person asks to be replaced, and what a trigger replaces, looks like a new resource, so that a new object
    with its cursors and a refusal are both right where the object is to be another one. What the server does not show
    is written wherever the program says, and stays what it is as long as that is the same place.
    """
    way = way.of(kind)
    adopted = {End.KEPT if adopt == "identical" else End.REFUSED}
    another = way.before.label != way.after.label or (way.after.moved and kind != "workspace")
    if kind in UNSHOWN and way.after.there:
        right = {End.NEW if way.after.moved else End.KEPT}
    elif not way.after.there:
        right = {End.LEFT if way.before.retained or way.by is By.REMOVE else End.GONE}
    elif not way.known:
        right = {End.KEPT} if way.after.imported else {End.NEW} if another else adopted
    elif way.by not in MARKED and not way.triggered:
        right = {End.NEW if way.replaced else End.KEPT}
        if kind == "connection" and way.replaced and way.by is By.IMPORT:
            # An import reads cursors that the program leaves to the source: whether they go over can be in doubt.
            right = {End.NEW, End.REFUSED}
    elif another or way.after.first_deleted:
        right = {End.NEW, End.REFUSED}
    else:
        right = adopted | ({End.NEW} if way.triggered or way.after.moved else set())
    return right
