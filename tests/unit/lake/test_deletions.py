"""A stream selects the field by which its source reports deletions, or a notice says what is missed."""

from pathlib import Path

import pytest

from tests.support.lakes import discovered, report_on, stream

WHEN = {"type": "string", "format": "date-time"}
CDC = "_ab_cdc_deleted_at"
DESTROYED = ("deleted_at", "deleted_message", "deleted_description")


def notices(directory: Path, offered: tuple[str, ...], chosen: tuple[str, ...] = (), **changes: object) -> list[str]:
    """The notices about a stream that offers and selects more fields than the clean one."""
    found, ours = discovered(), stream(**changes)
    assert isinstance(found["fields"], dict)
    assert isinstance(ours["fields"], dict)
    found["fields"] |= dict.fromkeys(offered, WHEN)
    ours["fields"] |= dict.fromkeys(chosen, WHEN)
    report = report_on(directory, {"shop/_discovered/orders.json": found, "shop/orders.json": ours})
    return [f"{one.field}: {one.what}: {one.remedy}" for one in report.notices]


@pytest.mark.parametrize(("offered", "name"), [((CDC,), CDC), (DESTROYED, "deleted_at"), ((CDC, *DESTROYED), CDC)])
def test_deletions_that_are_not_selected_are_a_notice_with_what_to_write(
    tmp_path: Path, offered: tuple[str, ...], name: str
) -> None:
    what = f"lacks {name}, by which the source reports deletions: deleted rows stay in the model"

    assert notices(tmp_path, offered) == [f"fields: {what}: add it here, and deleted='{name}' to `latest` in the model"]


@pytest.mark.parametrize(
    ("offered", "chosen", "changes"),
    [
        ((CDC,), (CDC,), {}),
        (DESTROYED, ("deleted_at",), {}),
        (("deleted_at",), (), {}),
        ((CDC,), (), {"selected": False}),
        ((CDC,), (), {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite", "cursor_field": []}),
    ],
)
def test_a_stream_that_misses_no_deletion_has_no_notice(
    tmp_path: Path, offered: tuple[str, ...], chosen: tuple[str, ...], changes: dict[str, object]
) -> None:
    assert [one for one in notices(tmp_path, offered, chosen, **changes) if "deletions" in one] == []
