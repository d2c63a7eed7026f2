"""Match a specification's patterns within bounds: a pattern is a connector's, and may take exponential time.

Python's own `re` can't be stopped. A linear engine (RE2) has no lookaheads, no count above 1,000 and other character
classes, and so reads real specifications in another way than the server does. `regex` reads what `re` reads, stops by
itself, and solves most of what makes `re` backtrack.
"""

import re
import time
import warnings
from typing import Final

import regex

LONGEST_PATTERN: Final = 2_000
"""Characters. Compiling can't be stopped, and takes longer with each character."""
SECONDS_OF_MATCH: Final = 0.2
"""Time of the process that one match may take: a real one takes microseconds."""
SECONDS_OF_ALL: Final = 2.0
"""Time of the process that all matches of one matcher may take together."""


class Matcher:
    """Searches values for the patterns of one specification."""

    def __init__(self) -> None:
        self._patterns: dict[str, regex.Pattern[str] | None] = {}
        self._left = SECONDS_OF_ALL

    def search(self, pattern: str, text: str) -> bool | None:
        """Whether a pattern is found in a text; None if that can't be decided here.

        Python can't read the pattern, it is too long, or it took too long before: it is not tried a second time.
        """
        compiled = self._compiled(pattern)
        if compiled is None or self._left <= 0:
            return None
        began = time.process_time()
        try:
            # The library measures the time of the process too, so that a busy machine changes no verdict.
            return compiled.search(text, timeout=min(SECONDS_OF_MATCH, self._left)) is not None
        except (TimeoutError, MemoryError):
            self._patterns[pattern] = None
            return None
        finally:
            self._left -= time.process_time() - began

    def _compiled(self, pattern: str) -> "regex.Pattern[str] | None":
        if pattern not in self._patterns:
            self._patterns[pattern] = _compile(pattern)
        return self._patterns[pattern]


def _compile(pattern: str) -> "regex.Pattern[str] | None":
    if len(pattern) > LONGEST_PATTERN:
        return None
    try:
        with warnings.catch_warnings():
            # Both warn of sets that look nested.
            warnings.simplefilter("ignore")
            # What `re` can't read has a meaning in `regex` that it may not have in the server's language.
            re.compile(pattern)
            return regex.compile(pattern)
    except (re.error, regex.error, RecursionError, OverflowError, MemoryError):
        return None
