"""Changes of a source or a destination as edits of its file."""

import json
import shlex
from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from lotus_infra.changes.digest import HIDDEN
from lotus_infra.changes.drift import ANOTHER_SECRET, Difference, Drifted
from lotus_infra.changes.leaves import Place
from lotus_infra.changes.takeover.parts import PUT_BACK, FileEdit, Left, Part, left
from lotus_infra.streams.edit import Edit
from lotus_infra.streams.locate import child
from lotus_infra.streams.model import Configuration
from lotus_infra.streams.references import Reference, is_reference, parse

NO_FILE_SAYS = "no file of the lake says it"


def actor_parts(
    one: Drifted, changed: Iterable[Difference], file: str, written: Configuration, order: tuple[str, ...]
) -> Iterator[Part]:
    """What taking over the changes comes to.

    Args:
        one: the source or destination.
        changed: what changed in Airbyte.
        file: its file.
        written: the configuration as the file has it, with references.
        order: the keys of such a file in their order.
    """
    for each in changed:
        match each.place:
            case ("name",):
                yield FileEdit(file, Edit(("name",), each.live, order))
            case ("configuration", *path):
                yield _configuration(one, each, tuple(path), written, file)
            case _:
                yield left(one, each, NO_FILE_SAYS)


def _configuration(one: Drifted, change: Difference, path: Place, written: Configuration, file: str) -> Part:
    if change.live is None:
        return FileEdit(file, Edit(("configuration", *_topmost_missing(one.live.get("configuration"), path)), None))
    reference = _reference(written, path)
    if reference is not None:
        return _by_reference(one, change, reference)
    if _is_secret(change.live):
        remedy = (
            "`pulumi config set --secret lotus:<name> <value>`, and refer to it in "
            f'{file} as {{"$secret": "<name>"}}; or {PUT_BACK}'
        )
        return left(one, change, "it is a secret, which Airbyte does not show", remedy)
    return FileEdit(file, Edit(("configuration", *path), change.live))


def _topmost_missing(live: JsonValue, path: Place) -> Place:
    """The shortest part of a path that is not live: an object goes as a whole where nothing of it is left."""
    for depth, key in enumerate(path, start=1):
        found = child(live, key)
        if not found:
            return path[:depth]
        live = found[0]
    return path


def _reference(written: JsonValue, path: Place) -> Reference | None:
    """The reference that the file has at a place, or on the way to it."""
    for key in path:
        found = child(written, key)
        if not found:
            return None
        written = found[0]
        if is_reference(written):
            read = parse(written)
            return read if isinstance(read, Reference) else None
    return None


def _by_reference(one: Drifted, change: Difference, reference: Reference) -> Left:
    if reference.part is not None:
        what = f"the file takes it from the landing zone ({reference.part})"
        return left(one, change, what, f"change lotus:landingZone of the stack; or {PUT_BACK}")
    value = change.live if isinstance(change.live, str) else json.dumps(change.live)
    secret = reference.secret or _is_secret(change.live)
    given = f"--secret lotus:{reference.name}" if secret else f"lotus:{reference.name} -- {shlex.quote(value)}"
    return left(one, change, "the file takes it from the stack", f"`pulumi config set {given}`; or {PUT_BACK}")


def _is_secret(value: JsonValue) -> bool:
    """Whether a value is one that is not shown, or has one in it."""
    return value == ANOTHER_SECRET or HIDDEN in json.dumps(value)
