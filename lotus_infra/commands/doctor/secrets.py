"""Check of a stack's secrets: they can be decrypted here, and none is a placeholder."""

import json
from collections.abc import Iterator

from lotus_infra.commands.doctor.context import CI_PAGE, StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok
from lotus_infra.config.settings import PLACEHOLDER
from lotus_infra.config.stack_files import stack_file
from lotus_infra.lake.diagnostics import pluralize

_PASSPHRASE = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def secrets(case: StackContext) -> Iterator[CheckResult]:
    """Whether the engine can decrypt the stack's secrets, whose values are compared with the placeholder only."""
    if case.exported.exit_code != 0:
        # The check of the state reports a backend that can't be read.
        if "no stack named" in case.exported.reason:
            remedy = f"`pulumi stack init {case.stack}` creates it; {stack_file(case.stack)} keeps its values"
            yield broken("secrets", f"the stack does not exist in the state yet: {_last(case.exported.reason)}", remedy)
        return
    shown = case.engine.run("config", "--json", "--show-secrets")
    if shown.exit_code != 0:
        provider = case.secrets_provider
        keyed = provider and not provider.startswith("passphrase")
        remedy = (
            f"log in so that this machine may use {provider} ({CI_PAGE}#the-key)"
            if keyed
            else f"export {_PASSPHRASE[0]}, or {_PASSPHRASE[1]} with the path of a file"
        )
        why, how = shown.cause or (_last(shown.reason), remedy)
        yield broken("secrets", f"the stack's secrets can't be decrypted: {why}", how)
        return
    values = json.loads(shown.stdout)
    sealed = {key: value.get("value") for key, value in values.items() if value.get("secret")}
    left = sorted(key for key, value in sealed.items() if value == PLACEHOLDER)
    for key in left:
        remedy = f"`pulumi config set --stack {case.stack} --secret {key}`"
        yield broken("secrets", f"{key} is still the placeholder of the template", remedy)
    if not left:
        yield ok("secrets", f"{pluralize(len(sealed), 'secret')} of the stack can be decrypted")


def _last(reason: str) -> str:
    return reason.strip().splitlines()[-1].removeprefix("error: ")
