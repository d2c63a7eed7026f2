"""Times in records and cursors: format and parse."""

from datetime import UTC, datetime

from pydantic import JsonValue


def timestamp(at: int, *, zone: bool = True) -> str:
    """ISO 8601 in UTC of milliseconds since 1970; fractions and the zone only if there are any."""
    moment = datetime.fromtimestamp(at // 1000, UTC).replace(microsecond=at % 1000 * 1000, tzinfo=UTC if zone else None)
    return moment.isoformat(timespec="milliseconds" if at % 1000 else "seconds")


def date(at: int) -> str:
    """The day, in UTC."""
    return timestamp(at)[:10]


def time_of_day(at: int) -> str:
    """The time of the day, in UTC."""
    return timestamp(at)[11:19]


def milliseconds(value: JsonValue) -> int | None:
    """A cursor's value in milliseconds since 1970; None if it is no time.

    A date means the moment before the day starts, so that the whole day is read again.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    whole = round(moment.timestamp() * 1000)
    return whole - 1 if isinstance(value, str) and len(value) == 10 else whole
