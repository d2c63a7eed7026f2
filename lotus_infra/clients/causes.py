"""Known causes of the engine's failures, with remedies: of its backend, its keys, and the clouds' providers.

The engine passes the texts of cloud SDKs on, which name neither the setting nor the command that helps. A text that is
not known has no cause: nothing is guessed. Airbyte's errors carry hints of their own.
"""

import re
from collections.abc import Iterable
from typing import Final

from lotus_infra.clients.storage import Cause, cause_of, s3_code_of

_PLACES: Final = (
    (r"operation error KMS|awskms|KMS: Decrypt|keeper: KMS", "the key of the stack's secrets can't be used"),
    (
        r"\.pulumi/(?!bin/|plugins/)|operation error S3|unable to open bucket|\bblob \((key|code)|error listing stacks",
        "the state can't be reached",
    ),
)
"""Texts about AWS, and what can't be used then: only there is an address that does not answer a server of AWS."""
_OTHERS: Final = (
    (
        r"incorrect passphrase",
        Cause("the passphrase of the stack's secrets is wrong", "export PULUMI_CONFIG_PASSPHRASE with the stack's own"),
    ),
    (
        r"passphrase must be set|unable to find either .?PULUMI_CONFIG_PASSPHRASE",
        Cause(
            "the passphrase of the stack's secrets is not set",
            "export PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE",
        ),
    ),
    (
        r"No valid credential sources found|Unable to locate credentials|no EC2 IMDS role found",
        Cause(
            "the AWS provider finds no credentials",
            "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with AWS_PROFILE",
        ),
    ),
    (
        r"no stack named '([^']*)' found",
        Cause(
            r"no stack named '\1' found", "`pulumi stack ls` lists the stacks, and `pulumi stack init NAME` makes one"
        ),
    ),
    (
        r"unable to load Kubernetes client configuration|configured Kubernetes cluster is unreachable",
        Cause(
            "the cluster can't be reached with this kubeconfig",
            "`kubectl config get-contexts` lists the contexts; `lotus doctor` checks that of the stack",
        ),
    ),
)


def explain(text: str) -> Cause | None:
    """The cause of a failure of the engine; None if it is not known.

    Args:
        text: The engine's messages.
    """
    for pattern, what in _PLACES:
        if re.search(pattern, text):
            found = cause_of(text)
            if found is not None:
                return Cause(f"{what}: {found.what}", found.remedy)
    for pattern, cause in _OTHERS:
        if match := re.search(pattern, text):
            return Cause(match.expand(cause.what), cause.remedy)
    # A code of AWS means the same in every text.
    return s3_code_of(text)


def explain_all(texts: Iterable[str]) -> list[str]:
    """A line for each cause of several messages, each once."""
    found = (explain(text) for text in texts)
    return list(dict.fromkeys(f"{each.what}: {each.remedy}" for each in found if each is not None))
