"""Build the list of operations from Airbyte's two OpenAPI documents: facts only, a line for each.

Run as `python -m airbyte_twin.operations.build DATA_FOLDER [TARGET_FILE]`; the running twin must not import it.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from airbyte_twin.operations import CONFIG_ROOT, FILE, PUBLIC_ROOT, Operation

DOCUMENTS = (
    ("airbyte-public-api.yaml", "/", PUBLIC_ROOT),
    ("airbyte-config-api.yaml", "/v1/", CONFIG_ROOT),
)
"""File, what its paths begin with (others are of another API), and the root that stands for it."""
TARGET = Path(__file__).with_name(FILE)
PATH = re.compile(r'  "?(/[^":]*)"?:\s*')
METHOD = re.compile(r"    (get|post|put|patch|delete):\s*")
NAME = re.compile(r"      operationId: (\w+)\s*")


def operations_of(text: str, prefix: str, root: str) -> Iterator[Operation]:
    """Operations of a document, line by line: both documents indent their paths in the same way."""
    path = method = ""
    for line in text.partition("\npaths:")[2].splitlines():
        if line[:1].isalpha():
            return
        if found := PATH.fullmatch(line):
            path = found[1]
        elif found := METHOD.fullmatch(line):
            method = found[1].upper()
        elif (found := NAME.fullmatch(line)) and path.startswith(prefix):
            yield Operation(method, (root + "/" + path.removeprefix(prefix)).rstrip("/"), found[1])


def render(data: Path) -> str:
    """The file's text, in the order of the documents."""
    found = [
        operation
        for name, prefix, root in DOCUMENTS
        for operation in operations_of((data / "airbyte" / name).read_text(encoding="utf-8"), prefix, root)
    ]
    return "".join(f"{each.method} {each.path} {each.name}\n" for each in found)


def main(arguments: list[str]) -> int:
    """Write the list; arguments are the data folder and, optionally, the target file."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: python -m airbyte_twin.operations.build DATA_FOLDER [TARGET_FILE]\n")
        return 1
    target = Path(arguments[1]) if arguments[1:] else TARGET
    target.write_text(render(Path(arguments[0])), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
