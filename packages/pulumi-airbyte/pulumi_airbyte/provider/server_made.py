"""What a server does to a connection by itself, in words: it is shown as what it is, and not as somebody's edit."""

from collections.abc import Callable, Iterator
from typing import Final

from pulumi_airbyte.client.config_connections import ConfigConnection
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.configurations import shown
from pulumi_airbyte.provider.connection_tree import streams_of
from pulumi_airbyte.provider.properties import Properties, reveal

ADDS_FIELDS: Final = ("propagate_columns", "propagate_fully")
LEAVE: Final = 'where it is to stay, add it to the program, or set ignore_changes=["configurations"]'


def told(live: Properties, sent: Properties, found: Connection, ask: Callable[[], ConfigConnection | None]) -> str:
    """What the server has made of a connection since it was last applied; empty where nothing shows.

    Args:
        live: the connection's canonical tree as it is.
        sent: as it was applied.
        found: the connection.
        ask: gets what the Config API says of it; called only where there is something to tell.
    """
    if not sent:
        return ""
    parts = [*_status(live, sent, ask), *_propagated(live, sent, found)]
    return "; ".join(parts)


def _status(live: Properties, sent: Properties, ask: Callable[[], ConfigConnection | None]) -> Iterator[str]:
    status = live.get("status", "active")
    if status == reveal(sent.get("status", "active")):
        return
    if status == "locked":
        said = ask()
        reason = f" ({said.status_reason})" if said and said.status_reason else ""
        yield f"Airbyte has locked it{reason}: no change is taken until it is unlocked on its page in Airbyte"
    elif status == "inactive":
        said = ask()
        if said and said.breaking_change:
            yield (
                "Airbyte switched it off after a breaking change of the source's schema; review that in Airbyte: "
                'the next up switches it on again, unless ignore_changes=["status"] leaves it to Airbyte'
            )
        else:
            yield "it was switched off in Airbyte, by somebody or by Airbyte itself"


def _propagated(live: Properties, sent: Properties, found: Connection) -> Iterator[str]:
    policy = found.non_breaking_schema_updates_behavior
    if policy not in ADDS_FIELDS:
        return
    now, before = streams_of(live), streams_of(sent)
    changed = False
    for key in sorted(now.keys() & before.keys()):
        has, had = now[key].get("selectedFields"), before[key].get("selectedFields")
        if isinstance(has, list) and isinstance(had, list):
            for field in sorted(set(has) - set(had)):
                changed = True
                yield f"Airbyte added field {field} to {shown(key)} ({policy})"
    if policy == "propagate_fully":
        for key in sorted(now.keys() - before.keys()):
            changed = True
            yield f"Airbyte added stream {shown(key)} ({policy})"
    if changed:
        yield LEAVE
