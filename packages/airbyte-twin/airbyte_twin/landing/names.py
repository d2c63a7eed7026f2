"""Names that are valid in Avro and S3.

Source: airbytehq/airbyte, bulk CDK: Transformations.
"""

import re
import unicodedata


def column_name(field: str) -> str:
    """The Avro-safe name of a field: ASCII letters, digits and `_`, and no digit first."""
    safe = plain_name(field)
    return safe if re.match("[A-Za-z_]", safe) else f"_{safe}"


def plain_name(name: str) -> str:
    """A name with ASCII letters, digits and `_` only."""
    return re.sub("[^A-Za-z0-9_]", "_", re.sub(r"\s+", "_", _without_accents(name), flags=re.ASCII))


def key_name(name: str) -> str:
    """The name of a namespace or stream within a key of S3."""
    return re.sub("[^A-Za-z0-9/!_.*')(&$@=;:+,?-]", "_", _without_accents(name))


def _without_accents(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if unicodedata.category(letter)[0] != "M")
