"""`checkConnection`: a source or destination is only done once its connector has tried its configuration."""

from typing import Final

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.models import ActorKind
from pulumi_airbyte.provider.properties import Properties, secret_texts, unwrap
from pulumi_airbyte.provider.unfinished import UnfinishedError

LEFT: Final = '{"check":true}'
ADVICE: Final = (
    "Correct the configuration, or what it leads to, and run `pulumi up`: it repairs this one and makes no other."
)


def unfinished_kept(outputs: Properties) -> Properties:
    """The outputs' own record of what is left, for a read that must not forget it."""
    return {"unfinished": outputs["unfinished"]} if "unfinished" in outputs else {}


def require_checkable(airbyte: Airbyte, inputs: Properties) -> None:
    """Refuse, before anything is written, a check that can't be made.

    Raises:
        AirbyteError: one is asked for, and the server has no Config API.
    """
    if _wanted(inputs):
        airbyte.require_checks()


def tried(airbyte: Airbyte, kind: ActorKind, actor_id: str, inputs: Properties, outputs: Properties) -> Properties:
    """The outputs of a write, once the check that is asked for has succeeded.

    Raises:
        UnfinishedError: it has not; what was written stays, and the next update checks again.
    """
    if not _wanted(inputs):
        return outputs
    # A connector may repeat what it was told, also where this run has written nothing.
    airbyte.redactor.learn(secret_texts(inputs))
    try:
        failure = airbyte.check_actor(kind, actor_id)
    except AirbyteError as error:
        failure = str(error)
    if not failure:
        return outputs
    reason = f"The {kind} {actor_id} is written, but its check fails: {failure}\n  {ADVICE}"
    raise UnfinishedError(actor_id, {**outputs, "unfinished": LEFT}, reason)


def _wanted(inputs: Properties) -> bool:
    return unwrap(inputs.get("checkConnection")) is True
