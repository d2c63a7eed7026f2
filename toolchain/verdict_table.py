"""The page of verdicts, docs/verdicts.md, made of the table in `lotus_infra.plan.verdicts`.

The texts are the table's and the rules' docstrings; this module only lays them out. `make bless` writes the page.
"""

import inspect
from collections.abc import Iterator, Mapping
from typing import Final

from lotus_infra.plan.impact import PROVIDER, Effect, Finding
from lotus_infra.plan.verdicts import (
    IDENTITY,
    NO_LONGER_PROTECTED,
    NO_LONGER_RETAINED,
    SAFE,
    TABLE,
    UNLISTED,
    UNLISTED_PROVIDER,
    Compare,
    Entry,
    Row,
)

INTRODUCTION: Final = """\
# Verdicts

What a change in a preview means for data, by resource type and property. `lotus comment` and `lotus gate` apply
this table ([how to read the comment](how-to/review-a-pull-request.md)). The page is generated from
`lotus_infra/plan/verdicts.py`. A test fails when it is stale, or when the program declares a type or a property
without a verdict; `make bless` updates the page.

| verdict | meaning | the gate |
|---|---|---|
| 🔴 destroys | an object is deleted, or data, versions or backups are lost | is closed |
| 🟠 exposes | others may get data, or data, secrets or objects go to another place | is closed |
| 🟡 touches data | different rows land, or they land elsewhere | stays open |
| 🔵 look | no loss is known, but the change is not known to be harmless | stays open |
| 🟢 safe | known to be harmless | stays open |

The table is closed: a change is safe only if a row says so.

- The most specific row decides. A row includes all properties below it that have no row of their own; `*` is any one
  key or index.
- "Or better": a rule compares the old value with the new one. If the preview does not show both, because one is secret
  or known only after the update, the verdict is the worst one.
- A change of a property without a row is 🔵 look; of a provider, it is 🟠 exposes.
- A change whose properties the engine does not name is 🔵 look, and so is an operation of the engine that Lotus does
  not know.
- A resource that an unfinished replacement has left over has the verdict of the replacement when it is deleted.
- An object that {protected}, or that {retained}, is 🔴 destroys, whatever its type.
- A deletion that only removes the object from the state (`retain_on_delete`) is 🟢 safe.
- The settings of a bucket that is deleted in the same update are part of that loss.
- The Kubernetes secret of a source that dlt reads (`lotus:dlt:Source`) is deleted with its source: that is no loss.

Some changes are compared in more detail, and can have a worse verdict than their row:

- A source or destination that points to another place is 🟠 exposes: a changed or hidden address in `configuration`, or
  another connector (`definitionId`).
- A connection that writes to another destination (`destinationId`) is 🟠 exposes, unless that destination is only
  replaced. So is a new connection of a source that has others already, if none of them writes to its destination.
- Streams, cursors and refreshes of a connection (`configurations`) are compared one by one. A stream that moves to
  another connection of its source loses its cursor, which is 🔴 destroys. A mapper that no longer hashes, encrypts or
  leaves out a field, or no longer filters rows, is 🟠 exposes.
- Streams and `configuration` of a source that dlt reads are compared in the same way. Its preview shows references in
  place of secrets. If its Kubernetes secret changes, each of them may have another value. dlt's cursors are in the
  landing bucket: only a stream that is no longer read incrementally loses its own.
"""
SIGNS: Final[Mapping[Effect, str]] = {
    "destroys": "🔴 destroys",
    "exposes": "🟠 exposes",
    "touches data": "🟡 touches data",
    "look": "🔵 look",
    "safe": "🟢 safe",
}
OTHERS: Final = {"any other type": UNLISTED, "any other provider": UNLISTED_PROVIDER}


def page() -> str:
    """The whole page, as Markdown."""
    parts = [INTRODUCTION.format(protected=NO_LONGER_PROTECTED.what, retained=NO_LONGER_RETAINED.what)]
    for title, entry in {**TABLE, **OTHERS}.items():
        parts.append("\n".join([*_entry(f"`{title}`" if title in TABLE else title.capitalize(), title, entry), ""]))
    return "\n".join(parts)


def _entry(title: str, type_: str, entry: Entry) -> Iterator[str]:
    yield f"## {title}\n"
    if entry.subject:
        yield f"The gate names it as the {entry.subject} that it belongs to.\n"
    yield "| change | verdict | meaning |"
    yield "|---|---|---|"
    for name, finding in (("created", entry.create), ("replaced", entry.replace), ("deleted", entry.delete)):
        yield _line(f"*{name}*", finding)
    for path, row in sorted(entry.rows.items()):
        yield from [_line(f"`{path}`", entry.replace)] if row is IDENTITY else _row(path, row)
    if not type_.startswith(PROVIDER) and entry.others.effect != "look":
        yield _line("*any other property*", entry.others)


def _row(path: str, row: Row) -> Iterator[str]:
    if row.compare is None:
        yield _line(f"`{path}`", row.finding)
    else:
        yield f"| `{path}` | {SIGNS[row.finding.effect]} or better | {_summary(row.compare)} |"
    if row.compare is not None and row.on_new not in {None, row.compare}:
        yield f"| `{path}` of a new owner | {SIGNS[row.finding.effect]} or better | {_summary(row.on_new)} |"
    if row.secret is not None:
        yield _line(f"`{path}`, a secret", row.secret)


def _summary(rule: Compare | None) -> str:
    return (inspect.getdoc(rule) or "").partition("\n")[0]


def _line(change: str, finding: Finding) -> str:
    return f"| {change} | {SIGNS[finding.effect]} | {'' if finding == SAFE else finding.what} |"
