"""Checks of the shell's AWS identity, and of what it may do with the state."""

from collections.abc import Iterator
from typing import Final

from lotus_infra.clients.locks import LOCKS_FOLDER, backend_store
from lotus_infra.clients.storage import Bucket, StorageError, caller
from lotus_infra.commands.doctor.context import CI_PAGE, StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.config.backend import Backend

ROLES: Final = f"{CI_PAGE}#the-roles-on-aws"
_PROBE: Final = "lotus-doctor.json"
"""The name of an object that is never written."""


def identity(case: StackContext) -> Iterator[CheckResult]:
    """Who calls AWS from this shell, for a stack with buckets or a state on AWS."""
    used = Backend.chosen(case.run.declared.backend, case.environment)
    zone = case.project.settings(case.stack).lotus.landing_zone
    on_aws = zone is not None and zone.server == "aws"
    if not on_aws and not (used.scheme == "s3" and "endpoint=" not in used.url):
        return
    try:
        found = caller(zone.region if zone is not None and on_aws else "")
    except StorageError as error:
        remedy = f"log in to AWS in this shell; for a workflow, {ROLES} has the role's trust policy"
        yield broken("identity", f"this shell has no AWS identity: {error.reason}", remedy)
        return
    if zone is not None and on_aws and zone.account and found.account != zone.account:
        what = f"this shell is {found.arn}, and the stack's account is {zone.account}"
        yield broken("identity", what, "log in to the stack's account")
    else:
        yield ok("identity", f"this shell is {found.arn} on AWS")


def state_rights(case: StackContext) -> Iterator[CheckResult]:
    """Whether this identity may write what its purpose needs in the bucket of the state, and no more."""
    place = backend_store(case.project, case.environment)
    if not isinstance(place, Bucket):
        return
    try:
        locks, stacks = (place.may_write(f"{folder}/{_PROBE}") for folder in (LOCKS_FOLDER, ".pulumi/stacks"))
    except StorageError as error:
        yield warning(
            "identity", f"whether this shell may write the state can't be checked: {error.reason}", error.hint
        )
        return
    needed = "locks" if case.purpose == "preview" else "the state"
    if not locks or (case.purpose == "deploy" and not stacks):
        what = f"this shell's identity may not write {'the locks of the state' if not locks else 'the state'}"
        yield broken("identity", what, f"grant it what a {case.purpose} needs: {ROLES}")
    elif case.purpose == "preview" and stacks:
        what = "this shell's identity may write the state, which a preview does not need"
        yield warning("identity", what, f"a preview runs a pull request's code: {ROLES} has a role for it")
    else:
        yield ok("identity", f"this shell's identity may write {needed}, as a {case.purpose} does")
