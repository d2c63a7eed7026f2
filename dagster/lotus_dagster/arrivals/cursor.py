"""A sensor's cursor, and the text that Dagster stores for it.

Its size depends on the time that the stream has been running (a line a month, and a line a day for two months), never
on the number of objects.
"""

import json
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator

from lotus_dagster.arrivals.partitions import Mark


def _read_mark(value: object) -> Mark:
    if isinstance(value, Mark):
        return value
    objects, digest = str(value).split(":")
    return Mark(int(objects), int(digest, 16))


StoredMark = Annotated[
    Mark, PlainValidator(_read_mark), PlainSerializer(lambda mark: f"{mark.objects}:{mark.digest:x}", return_type=str)
]


class _Remembered(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scan(_Remembered):
    """A walk over a range of keys that may take several looks."""

    after: str = ""
    """The last key seen; empty at the range's beginning."""

    done: str = ""
    """The last unit that was seen whole in this walk."""

    unit: str = ""
    """The unit that the walk stands in."""

    partial: StoredMark = Mark()
    """What has been seen of that unit."""


class Cursor(_Remembered):
    """What is known of a stream's files."""

    version: Literal[1] = 1
    lineage: str
    """Sets the run keys of one cursor's life apart from those of another: a reset cursor feeds everything again."""

    batch: int = 0
    """How many batches were handed out."""

    identities: bool = True
    """Whether a run over all files was handed out since models keep identities. Cursors of earlier versions lack it:
    one such run gives their models the columns of this version, and the identities of the files that they have read."""

    marks: dict[str, StoredMark] = {}
    """What each unit held."""

    recent_from: str = ""
    """The day from which on every look lists; what lies before is for the patrol. Empty until the end was seen once."""

    months_before: str = ""
    """Days before this month are counted by month."""

    recent: Scan = Scan()
    patrol: Scan = Scan()
    far: Scan = Scan()

    reported: tuple[str, ...] = ()
    """The folders of keys that are outside the layout or dated far from now, which were reported once."""

    @property
    def objects(self) -> int:
        """How many objects are known."""
        return sum(mark.objects for mark in self.marks.values())


def read_cursor(text: str | None) -> Cursor:
    """The cursor that a sensor kept; a fresh one when it kept none.

    Raises:
        pydantic.ValidationError: The text is no cursor.
    """
    if not text:
        return Cursor(lineage=uuid4().hex[:8])
    cursor = Cursor.model_validate_json(text)
    return cursor if "identities" in cursor.model_fields_set else cursor.model_copy(update={"identities": False})


def write_cursor(cursor: Cursor) -> str:
    """The cursor as text."""
    kept = cursor.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(kept | {"identities": cursor.identities}, separators=(",", ":"))
