"""What taking over a change comes to: edits of the lake's files, new files, and what no file can say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from airbyte_model.streams import shown
from pydantic import BaseModel, JsonValue

from lotus_infra.changes.drift import Difference, Drifted
from lotus_infra.changes.leaves import STREAMS, Place
from lotus_infra.streams.edit import Edit
from lotus_infra.streams.facts import Discovered
from lotus_infra.streams.model import DestinationConfig, SourceConfig, StreamConfig
from lotus_infra.streams.problems import field_name

Document = dict[str, JsonValue]
Facts = Callable[[str, str], Discovered | None]
"""Gives what a source was found to have of a stream; None where that isn't known."""
PUT_BACK: Final = "`lotus up --refresh` puts it back"


@dataclass(frozen=True, slots=True)
class FileEdit:
    """An edit of a file, which is relative to the lake's folder."""

    file: str
    edit: Edit


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is still to be made, relative to the lake's folder."""

    file: str
    document: Document


@dataclass(frozen=True, slots=True)
class Left:
    """What is left to do by hand.

    Attributes:
        where: the object, and the place in it.
        what: why no edit of a file does it.
        remedy: what to do instead.
    """

    where: str
    what: str
    remedy: str


Part = FileEdit | NewFile | Left


def shown_place(place: Place) -> str:
    """A place as people read it: `orders.fields.total_tax`, `stream orders`, `configuration.start_date`."""
    if place[:1] == (STREAMS,):
        stream = shown(place[1])
        return f"stream {stream}" if len(place) == 2 else f"{stream}.{field_name(place[2:])}"
    return field_name(place)


def left(one: Drifted, difference: Difference | Place, what: str, remedy: str = PUT_BACK) -> Left:
    """What is left to do at a place of an object."""
    place = difference.place if isinstance(difference, Difference) else difference
    where = f"{one.kind} {one.name}"
    return Left(f"{where}: {shown_place(place)}" if place else where, what, remedy)


def _order(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


STREAM_ORDER: Final = _order(StreamConfig)
SOURCE_ORDER: Final = _order(SourceConfig)
DESTINATION_ORDER: Final = _order(DestinationConfig)
