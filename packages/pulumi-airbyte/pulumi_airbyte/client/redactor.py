"""Removes secrets from what people will see."""

import json
import threading
from collections.abc import Iterable
from typing import Final

SHORTEST_SECRET: Final = 4


class Redactor:
    """Removes known secret values from text. Thread-safe."""

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def learn(self, secrets: Iterable[str]) -> None:
        """Remember values to remove; shorter ones than four characters would blank out ordinary words."""
        long_enough = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        escaped = {json.dumps(secret, ensure_ascii=each)[1:-1] for secret in long_enough for each in (True, False)}
        with self._lock:
            self._secrets |= long_enough | escaped

    def clean(self, text: str) -> str:
        """The text without any remembered value."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "[secret]")
        return text
