"""The twin's clock, which tests can freeze and move, and Java's notations of times."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time plus an offset, or a frozen instant."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen_at: float | None = None

    @property
    def frozen(self) -> bool:
        """Whether time is frozen."""
        return self._frozen_at is not None

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        # Read once: syncs ask from threads of their own, and the clock may be moved in between.
        frozen_at = self._frozen_at
        return time.time() + self._offset if frozen_at is None else frozen_at

    def milliseconds(self) -> int:
        """`now` in milliseconds, the resolution of the Airbyte protocol."""
        return int(self.now() * 1000)

    def seconds(self) -> int:
        """`now` in whole seconds, the resolution of Airbyte's `createdAt`."""
        return int(self.now())

    def freeze(self, at: float | None = None) -> None:
        """Stop at an instant, by default the present one."""
        self._frozen_at = self.now() if at is None else at

    def resume(self) -> None:
        """Unfreeze time."""
        if self._frozen_at is not None:
            self._offset = self._frozen_at - time.time()
            self._frozen_at = None

    def advance(self, seconds: float) -> None:
        """Move time, frozen or not."""
        if self._frozen_at is None:
            self._offset += seconds
        else:
            self._frozen_at += seconds


def instant(seconds: int) -> str:
    """ISO time as Java's `OffsetDateTime.toString` writes it: without `:00` seconds (PUB JobResponseMapper)."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ")


def duration(seconds: int) -> str:
    """ISO duration as Java's `Duration.toString` writes it: hours, minutes and seconds, `PT0S` for none."""
    minutes, rest = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "H"), (minutes, "M"), (rest, "S"))
    return "PT" + ("".join(f"{value}{unit}" for value, unit in parts if value) or "0S")
