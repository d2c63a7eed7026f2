"""Keys in a bucket and columns in files, from the names of namespaces, streams and fields.

Source: airbytehq/airbyte-platform, NamespacingMapper; airbytehq/airbyte, bulk CDK: Transformations,
ObjectStoragePathFactory.
"""

import re
import unicodedata
from typing import Final

CUSTOM_FORMAT: Final = "custom_format"
SOURCE: Final = "source"
DESTINATION: Final = "destination"
NAMESPACE_DEFINITIONS: Final = (CUSTOM_FORMAT, SOURCE, DESTINATION)
"""The public API's names of the ways in which a connection names namespaces at the destination."""
SOURCE_NAMESPACE: Final = "${SOURCE_NAMESPACE}"
"""The variable of a custom format: the stream's namespace in the source."""

_UNSAFE_IN_KEYS: Final = re.compile(r"[^A-Za-z0-9/!_.*')(&$@=;:+,?-]")
_UNSAFE_IN_COLUMNS: Final = re.compile(r"[^A-Za-z0-9_]")
_SAFE_COLUMN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BLANKS: Final = re.compile(r"[ \t\n\v\f\r]+")
_DOTS: Final = frozenset({".", ".."})


def key_name(text: str) -> str:
    """The name of a namespace or a stream in a key of S3: `Sheet 1` becomes `Sheet_1`, `Größe` becomes `Gro_e`.

    Case, slashes and dots stay. Two names can become one.
    """
    return _UNSAFE_IN_KEYS.sub("_", _without_accents(text))


def column_name(field: str) -> str:
    """The name of a field's column in Avro and Parquet: `Account Name` becomes `Account_Name`, `1st` becomes `_1st`.

    The same holds for the members of an object that the source declares. Two names can become one.
    """
    if _SAFE_COLUMN.fullmatch(field) is not None:
        return field
    safe = _UNSAFE_IN_COLUMNS.sub("_", _BLANKS.sub("_", _without_accents(field)))
    return safe if re.match("[A-Za-z_]", safe) else f"_{safe}"


def written_namespace(definition: str, namespace_format: str | None, stream_namespace: str | None) -> str:
    """The namespace that a connection writes a stream to.

    Args:
        definition: One of `NAMESPACE_DEFINITIONS`.
        namespace_format: For `custom_format`: text that may contain `${SOURCE_NAMESPACE}`.
        stream_namespace: The stream's namespace in the source; None or empty if it has none.

    Returns:
        The namespace; empty if the destination uses its default. destination-s3 has none, and leaves it out of keys.
    """
    own = stream_namespace or ""
    if definition == SOURCE:
        return own
    if definition == DESTINATION or not namespace_format:
        return ""
    written = namespace_format.replace(SOURCE_NAMESPACE, "" if _is_blank(own) else own)
    return "" if _is_blank(written) else written


def written_name(prefix: str, stream: str) -> str:
    """The name that a connection writes a stream under; the server ignores a prefix of blanks."""
    return stream if _is_blank(prefix) else prefix + stream


def folder_of(path: str, namespace: str, name: str) -> str:
    """The folder of a stream's files in a bucket, with a slash at its end: `raw/shopify/orders/`.

    Args:
        path: The destination's path in the bucket, as it is configured; empty for the bucket itself.
        namespace: As `written_namespace` returns it; an empty one leaves no trace.
        name: As `written_name` returns it.
    """
    return re.sub("/+", "/", f"{path}/{key_name(namespace)}/{key_name(name)}/").removeprefix("/")


def has_dots_alone(folder: str) -> bool:
    """Whether a part of a path is `.` or `..`, which file systems and S3 servers read in different ways."""
    return not _DOTS.isdisjoint(folder.split("/"))


def _without_accents(text: str) -> str:
    """A text with ligatures and accented letters taken apart, and without the accents."""
    if text.isascii():
        return text
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if unicodedata.category(sign)[0] != "M")


def _is_blank(text: str) -> bool:
    return not text.strip()
