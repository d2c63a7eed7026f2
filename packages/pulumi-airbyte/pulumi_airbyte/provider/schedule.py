"""Quartz cron as the public API takes it (airbyte-platform, ConnectionScheduleHelper)."""

from typing import Final

UTC: Final = "UTC"
FIELDS: Final = (6, 7)


def canonical_cron(expression: str) -> str:
    """The expression with single spaces and without the zone `UTC`, which the server adds when it is read."""
    return " ".join(expression.split()).removesuffix(f" {UTC}")


def cron_problem(expression: str) -> str:
    """What the server would refuse, or an empty text."""
    parts = canonical_cron(expression).split()
    if len(parts) not in FIELDS:
        wanted = "seconds, minutes, hours, day of month, month, day of week (and year), in UTC"
        return f"{expression!r} has {len(parts)} fields: give {wanted}"
    if not parts[0].isdigit():
        return f"{expression!r} must give the seconds as a number"
    if len(parts) == 7 and not parts[1].isdigit():
        return f"{expression!r} must give the minutes as a number, because it gives a year"
    if len(parts) == 7 and parts[6][0] not in "*?0123456789":
        return f"{expression!r} names a zone: the public API knows only UTC"
    return ""
