"""The streams and backfill tokens in a connection's inputs, as a preview shows them."""

from collections.abc import Collection, Mapping

from airbyte_model.streams import ConfigurationError, Stream, key_in, parse, typed
from pydantic import JsonValue

from lotus_infra.errors import LotusError
from lotus_infra.plan.preview import is_hidden


def streams(inputs: Mapping[str, JsonValue]) -> dict[str, Stream] | None:
    """The streams in a connection's inputs, by key; None if they are secret, because a mapper holds a key.

    Raises:
        LotusError: the property `configurations` is not a list of streams.
    """
    given = inputs.get("configurations")
    if given is None:
        return {}
    if is_hidden(given):
        return None
    try:
        trees = parse(given, stored=True)
    except ConfigurationError as error:
        raise LotusError(f"a connection's configurations {error}", "run the preview again") from None
    return {key: typed(tree) for key, tree in trees.items()}


def backfill_tokens(inputs: Mapping[str, JsonValue], known: Collection[str]) -> dict[str, JsonValue]:
    """The backfill tokens in a connection's inputs, by the keys of its known streams."""
    given = inputs.get("backfills")
    return {key_in(key, known): token for key, token in given.items()} if isinstance(given, dict) else {}
