"""Check of the buckets that the first `up` creates: their names must be free."""

from collections.abc import Iterator

from lotus_infra.clients.storage import Bucket, Presence, StorageError
from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok

_BUCKET = "aws:s3/bucket:Bucket"


def free_buckets(case: StackContext) -> Iterator[CheckResult]:
    """Whether the landing and the backup bucket are free, or already the stack's own."""
    zone = case.project.settings(case.stack).lotus.landing_zone
    if zone is None:
        return
    managed = {str(each.outputs.get("bucket", each.id)) for each in case.resources or () if each.type == _BUCKET}
    dagster = case.project.dagster(case.stack)
    names = [zone.landing, *([zone.backup] if dagster is not None and dagster.has_backups else [])]
    for name in names:
        try:
            found = Bucket(name, zone.region, zone.endpoint).presence()
        except StorageError as error:
            yield broken("landing", error.message, error.hint)
            continue
        yield _result(name, found, is_managed=name in managed)


def _result(name: str, found: Presence, *, is_managed: bool) -> CheckResult:
    if is_managed:
        return ok("landing", f"the bucket {name} is the stack's own")
    if found == "free":
        return ok("landing", f"the bucket name {name} is free; the first `up` creates it")
    if found == "foreign":
        remedy = "choose another name: names of buckets are unique in the whole of AWS"
        return broken("landing", f"the bucket {name} exists, and this shell's identity may not read it", remedy)
    remedy = "choose another name, or delete the bucket if it is not needed: the stack creates its own"
    return broken("landing", f"the bucket {name} exists already, and the state does not have it", remedy)
