"""Checks of a stack's configuration, of the place of its state, and of its locks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from lotus_infra.clients.locks import Machine, advice, backend_store, locks_of, owner_state
from lotus_infra.clients.storage import Bucket
from lotus_infra.commands.doctor.context import CI_PAGE, StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.config import production
from lotus_infra.config.backend import Backend
from lotus_infra.config.stack import PROJECT_FILE
from lotus_infra.errors import LotusError, has_credentials
from lotus_infra.lake.diagnostics import format_path

_WHERE: Final = f"see `pulumi whoami --verbose`; {CI_PAGE}#the-roles-on-aws has the rights on AWS"


def configuration(case: StackContext, *, complete: bool) -> Iterator[CheckResult]:
    """Every mistake in the stack's configuration, which all other checks depend on.

    Args:
        case: The stack.
        complete: Whether a missing value is a mistake too, as it is for a run.
    """
    read = case.project.read(case.stack)
    for problem in (*read.problems, *(read.missing if complete else ())):
        what = f"{problem.file}:{problem.line}: {format_path(problem.path) or '(file)'}: {problem.what}"
        yield broken("configuration", what, problem.remedy)


def guard(case: StackContext) -> Iterator[CheckResult]:
    """The problems for which every run of a production stack is refused."""
    for problem in production.problems(case.run, case.environment):
        what, _, remedy = problem.rpartition(": ")
        yield broken("backend", what, remedy)


def backend(case: StackContext) -> Iterator[CheckResult]:
    """Where the state is, and whether it is readable."""
    run = case.run
    used = Backend.chosen(run.declared.backend, case.environment)
    if not used.url:
        yield broken("backend", "no backend is configured", f"write backend.url into {PROJECT_FILE}")
        return
    where = f"the state is in {used.url}, selected by {used.chosen_by}"
    try:
        place = backend_store(case.project, case.environment)
        if place is not None:
            next(iter(place.folders(".pulumi/")), None)
    except LotusError as error:
        yield broken("backend", f"{where}, and can't be read: {error.message}", error.hint or _WHERE)
        return
    except OSError as error:
        yield broken("backend", f"{where}, and can't be read: {error}", _WHERE)
        return
    local = "" if used.is_shared or run.is_production else " (on this machine only)"
    yield ok("backend", where + local)


def versioning(case: StackContext) -> Iterator[CheckResult]:
    """Whether the bucket of the state keeps earlier states."""
    used = Backend.chosen(case.run.declared.backend, case.environment)
    if used.scheme != "s3":
        return
    zone = case.project.settings(case.stack).lotus.landing_zone
    try:
        place = backend_store(case.project, case.environment)
        versioned = isinstance(place, Bucket) and place.is_versioned()
    except LotusError as error:
        yield warning(
            "backend", f"whether the state's bucket is versioned can't be checked: {error.message}", error.hint
        )
        return
    if versioned:
        yield ok("backend", f"the bucket {used.bucket} is versioned")
    elif zone is not None and zone.state == used.bucket and "versioning" in zone.available:
        yield ok("backend", f"the bucket {used.bucket} is not versioned yet; the next `up` enables it")
    else:
        remedy = "enable versioning, so that a damaged state can be restored"
        yield warning("backend", f"the bucket {used.bucket} is not versioned", remedy)


def open_places(case: StackContext) -> Iterator[CheckResult]:
    """Places of a production stack that credentials and kubeconfigs of this machine decide, and that it could name."""
    run = case.run
    if not run.is_production:
        return
    zone, cluster = run.values.zone, run.values.cluster
    if zone is not None and zone.server == "aws" and not zone.account:
        remedy = "`pulumi config set --path lotus:landingZone.account <id>`"
        yield warning("backend", "the stack names no AWS account, so that this shell's credentials decide", remedy)
    if cluster is not None and cluster.context and not cluster.server:
        what = (
            f"the stack does not name its cluster's address, so that the kubeconfig decides what {cluster.context} is"
        )
        yield warning("backend", what, "`pulumi config set --path lotus:dagster.cluster.server <url>`")


def credentials_in_urls(case: StackContext) -> Iterator[CheckResult]:
    """Addresses with a user, a password or a token: whoever may read the file or the environment has them."""
    run = case.run
    used = Backend.chosen(run.declared.backend, case.environment)
    addresses = [(f"the backend's address, set by {used.chosen_by},", used.url)]
    for key, value in case.project.read(case.stack).entries.values.items():
        addresses += [(f"{path} of the stack", text) for path, text in _texts(value, key)]
    for where, text in addresses:
        if has_credentials(text):
            remedy = "take them out, and set them as values of their own, with --secret, or in the environment"
            yield warning("backend", f"{where} has credentials in its URL, {text}", remedy)


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """The plain texts in a value of a stack's file, by path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


def locks(case: StackContext) -> Iterator[CheckResult]:
    """Who holds the stack's lock. A dead owner is broken, because it blocks every run; others are warnings."""
    machine = Machine.here()
    try:
        place = backend_store(case.project, case.environment)
        found = locks_of(place, case.run.project, case.stack) if place is not None else []
    except (LotusError, OSError):
        return  # `backend` has reported it.
    for lock in found:
        owner = owner_state(lock, machine)
        what = f"{lock.owner} holds the lock, for {lock.age(datetime.now(UTC))}"
        result = broken if owner == "dead" else warning
        yield result("locks", what, advice(lock, owner))
    if place is not None and not found:
        yield ok("locks", "the stack is not locked")
