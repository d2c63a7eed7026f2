"""What has become of a connection in Airbyte, in words. Who did it is not known: an edit looks like the server's."""

from collections.abc import Callable, Iterator
from typing import Final

from airbyte_model.streams import shown

from pulumi_airbyte.client.config_connections import ConfigConnection
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.provider.connection_tree import streams_of
from pulumi_airbyte.provider.properties import Properties, reveal

ADDS_FIELDS: Final = ("propagate_columns", "propagate_fully")
LEAVE: Final = 'where it is to stay, add it to the program, or set ignore_changes=["configurations"]'


def told(live: Properties, sent: Properties, found: Connection, ask: Callable[[], ConfigConnection | None]) -> str:
    """What has become of a connection in Airbyte since it was last applied; empty where nothing shows.

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
        yield f"it is locked in Airbyte{reason}: no change is taken until it is unlocked on its page there"
    elif status == "inactive":
        said = ask()
        if said and said.breaking_change:
            yield (
                "it is switched off in Airbyte, where a breaking change of the source's schema is to be reviewed: "
                'the next up switches it on again, unless ignore_changes=["status"] leaves it as it is'
            )
        else:
            yield "it is switched off in Airbyte"


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
                yield f"field {field} of {shown(key)} was added in Airbyte ({policy} adds what the source gains)"
    if policy == "propagate_fully":
        for key in sorted(now.keys() - before.keys()):
            changed = True
            yield f"stream {shown(key)} was added in Airbyte ({policy} adds what the source gains)"
    if changed:
        yield LEAVE
