"""Keys of a stream's objects: build new ones, recognize existing ones.

Source: airbytehq/airbyte, bulk CDK: ObjectStoragePathFactory; docs/integrations/destinations/s3.md.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from airbyte_twin.landing.configuration import Configuration
from airbyte_twin.landing.names import key_name
from airbyte_twin.landing.stream import LandingStream

EXTENSION = ".parquet"
_PATH_VARIABLE = re.compile(r"\$\{(\w+)\}", re.ASCII)
_FILE_VARIABLE = re.compile(r"\{([\w:]+)\}", re.ASCII)
# Patterns of the variables' values; unknown variables stay in keys literally.
_PATH_PATTERNS = {
    "YEAR": r"\d{4}",
    "MONTH": r"\d{2}",
    "DAY": r"\d{2}",
    "HOUR": r"\d{2}",
    "MINUTE": r"\d{2}",
    "SECOND": r"\d{2}",
    "MILLISECOND": r"\d{4}",
    "EPOCH": r"\d+",
    "UUID": "[a-fA-F0-9-]{36}",
}
_FILE_PATTERNS = {
    "date": r"\d{4}_\d{2}_\d{2}",
    "date:yyyy_MM": r"\d{4}_\d{2}",
    "timestamp": r"\d+",
    "timestamp:millis": r"\d+",
    "timestamp:micros": r"\d+",
    "part_number": r"\d+",
    "sync_id": r"\d+",
    "format_extension": re.escape(EXTENSION),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of one stream in one bucket.

    Attributes:
        path: the path format behind the bucket path, its namespace and stream name filled in.
        file_name: the file name pattern.
        own: matches the keys of the stream's objects whole, with the group `part` if names have part numbers.
    """

    path: str
    file_name: str
    own: re.Pattern[str]

    @property
    def prefix(self) -> str:
        """Common prefix of the stream's keys; other streams' keys may share it."""
        return self.path.partition("$")[0]

    def folder(self, at: datetime) -> str:
        """Prefix of the keys of a sync; may end without a slash.

        Args:
            at: when the sync began, in UTC.
        """
        values = {
            "YEAR": f"{at:%Y}",
            "MONTH": f"{at:%m}",
            "DAY": f"{at:%d}",
            "HOUR": f"{at:%H}",
            "MINUTE": f"{at:%M}",
            "SECOND": f"{at:%S}",
            "MILLISECOND": f"{at.microsecond // 1000:04}",
            "EPOCH": str(_micros(at) // 1000),
            "UUID": str(uuid4()),
        }
        return _filled(_PATH_VARIABLE, self.path, values)

    def name(self, at: datetime, now: datetime, part_number: int, sync_id: int) -> str:
        """The last piece of a key, to follow the folder without a slash between.

        Args:
            at: when the sync began, in UTC.
            now: the time of the file, in UTC.
            part_number: of the file in its folder.
            sync_id: the job's id.
        """
        values = {
            "date": f"{at:%Y_%m_%d}",
            "date:yyyy_MM": f"{at:%Y_%m}",
            "timestamp": str(_micros(now) // 1000),
            "timestamp:millis": str(_micros(now) // 1000),
            "timestamp:micros": str(_micros(now)),
            "part_number": str(part_number),
            "sync_id": str(sync_id),
            "format_extension": EXTENSION,
        }
        return _filled(_FILE_VARIABLE, self.file_name, values)

    def owns(self, key: str) -> bool:
        """Whether an object is the stream's."""
        return self.own.fullmatch(key) is not None

    def part_number(self, key: str) -> int:
        """The part number in one of the stream's keys; 0 where names have none, -1 for another stream's key."""
        found = self.own.fullmatch(key)
        if found is None:
            return -1
        return int(found["part"]) if "part" in self.own.groupindex else 0


def layout_of(configuration: Configuration, stream: LandingStream) -> Layout:
    """The layout of a stream, its name prefixed; a missing namespace leaves no trace in the path."""
    path = f"{configuration.s3_bucket_path}/{configuration.s3_path_format}"
    names = {"NAMESPACE": key_name(stream.namespace or ""), "STREAM_NAME": key_name(stream.prefix + stream.name)}
    path = re.sub("/+", "/", _filled(_PATH_VARIABLE, path, names)).removeprefix("/")
    file_name = configuration.file_name_pattern
    own = _pattern(_PATH_VARIABLE, path, _PATH_PATTERNS) + _pattern(_FILE_VARIABLE, file_name, _FILE_PATTERNS)
    # A name that was taken got a number behind its extension.
    own = own.replace("{part}", r"(?P<part>\d+)", 1).replace("{part}", r"\d+") + r"(-\d+)?"
    return Layout(path, file_name, re.compile(own, re.ASCII))


def _filled(variable: re.Pattern[str], text: str, values: dict[str, str]) -> str:
    """A text with its known variables filled in; unknown ones stay."""
    return variable.sub(lambda found: values.get(found[1], found[0]), text)


def _pattern(variable: re.Pattern[str], text: str, patterns: dict[str, str]) -> str:
    """A regular expression for a text after its variables are filled in."""
    pieces, end = [], 0
    for found in variable.finditer(text):
        piece = "{part}" if found[1] == "part_number" else patterns.get(found[1], re.escape(found[0]))
        pieces += [re.escape(text[end : found.start()]), piece]
        end = found.end()
    return "".join([*pieces, re.escape(text[end:])])


def _micros(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000 + at.microsecond
