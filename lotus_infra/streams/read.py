"""Reading one JSON file into one model, with every reason why it can't be.

Bytes become a document, the document becomes a model; whatever is in the way becomes a finding and the file None. It
knows nothing of folders.
"""

import json
from pathlib import Path
from typing import NoReturn, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from lotus_infra.streams.explain import as_meant, explain
from lotus_infra.streams.locate import duplicates
from lotus_infra.streams.problems import Finding

Model = TypeVar("Model", bound=BaseModel)

_BOM = b"\xef\xbb\xbf"
_SYNTAX = "JSON wants double quotes, a comma between entries and none after the last"


class Reader:
    """Reads the files of one lake and gathers what is wrong with them.

    Attributes:
        findings: What is wrong with the files read so far.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = str(directory)
        self.findings: list[Finding] = []
        self._has_duplicates = False
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=_not_a_number)

    def report(self, file: str, what: str, remedy: str, *, line: int | None = 1, harmless: bool = False) -> None:
        """Add a finding about a whole file."""
        self.findings.append(Finding(file, (), what, remedy, line, harmless))

    def read(self, file: str, model: type[Model]) -> Model | None:
        """Read a file that people write.

        Args:
            file: Relative to the lake's folder.
            model: What the file must be.

        Returns:
            The model; None when a finding is more than a misspelt key.
        """
        before = len(self.findings)
        data = self._bytes(file)
        text = self._text(file, data) if data else None
        if data is None or text is None:
            return None
        document = self._document(file, text)
        if len(self.findings) > before:
            return None
        return self._model(file, data, document, model)

    def read_light(self, file: str, model: type[Model]) -> Model | None:
        """Read a file that tools write: as `read`, but twice as fast, and blind to repeated keys."""
        data = self._bytes(file)
        if data is None:
            return None
        try:
            return model.model_validate_json(data)
        except ValidationError:
            return self.read(file, model)

    def _bytes(self, file: str) -> bytes | None:
        try:
            data = self._raw(file)
        except OSError as error:
            self.report(file, f"can't be read ({error.strerror or error})", "make it a readable file")
            return None
        if not data.strip():
            self.report(file, "is empty", "write a JSON object into it, or delete it")
            return None
        return data

    def _raw(self, file: str) -> bytes:
        # A Path for each of many thousand files takes longer to make than its file to read.
        with open(f"{self._folder}/{file}", "rb", buffering=0) as opened:  # noqa: PTH123
            return opened.readall()

    def _text(self, file: str, data: bytes) -> str | None:
        if data.startswith(_BOM):
            self.report(file, "starts with a byte order mark", "save it as UTF-8 without one (BOM)")
            return None
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.report(file, "is not UTF-8", "save it as UTF-8", line=line)
            return None

    def _document(self, file: str, text: str) -> JsonValue:
        self._has_duplicates = False
        try:
            document: JsonValue = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            what = f"is not JSON ({error.msg[:1].lower()}{error.msg[1:]}, column {error.colno})"
            self.report(file, what, _SYNTAX, line=error.lineno)
            return None
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            self.report(file, f"can't be read as JSON ({reason})", "simplify it")
            return None
        if self._has_duplicates:
            for path, line in duplicates(text):
                self.findings.append(Finding(file, path, "is there twice", "delete one of the two", line))
        if not isinstance(document, dict):
            self.report(file, "must hold one JSON object", "write the settings between { and }")
        return document

    def _model(self, file: str, data: bytes, document: JsonValue, model: type[Model]) -> Model | None:
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            found = tuple(explain(error, model, document, file))
            self.findings.extend(found)
        # A misspelt key hides nothing else of its file: the rules see what was meant.
        try:
            return model.model_validate_json(json.dumps(as_meant(document, found, model)))
        except ValidationError:
            return None

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        entries = dict(pairs)
        if len(entries) != len(pairs):
            self._has_duplicates = True
        return entries


def _not_a_number(constant: str) -> NoReturn:
    message = f"{constant} is no JSON number"
    raise ValueError(message)
