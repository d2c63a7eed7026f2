"""Tokens that Airbyte puts into a source after an OAuth consent, whose id the program gives as `secretId`. Pure.

The server shows them as masks beside the program's values. While the program gives a `secretId`, a mask at a place that
it leaves out is such a token: it is no difference, and every write keeps it.
"""

from collections.abc import Iterator
from typing import Final

from pulumi_airbyte.provider.properties import Properties, Property, unwrap
from pulumi_airbyte.provider.reconcile import same
from pulumi_airbyte.values import MASK, Path

CONSENT: Final = "secretId"


def consents(inputs: Properties) -> bool:
    """Whether inputs have the id of a consent; it may be unknown."""
    return bool(unwrap(inputs.get(CONSENT)))


def granted(live: Property, given: Property, path: Path = ()) -> Iterator[Path]:
    """The places of tokens: masks in a live configuration that a given one leaves out."""
    here, known = unwrap(live), unwrap(given)
    if isinstance(here, dict):
        for key, item in here.items():
            yield from granted(item, known.get(key) if isinstance(known, dict) else None, (*path, key))
    elif here == MASK and known is None:
        yield path


def without_granted(tree: Properties, inputs: Properties) -> Properties:
    """A tree with a live configuration, without its tokens if the inputs have a consent."""
    if not consents(inputs):
        return tree
    return {**tree, "configuration": _without(tree.get("configuration"), inputs.get("configuration"))}


def with_granted(configuration: Property, live: Property) -> Property:
    """A configuration with the tokens of a live one that it leaves out."""
    for path in granted(live, configuration):
        configuration = _placed(configuration, path)
    return configuration


def as_consented(old: Properties, new: Properties) -> Properties:
    """The inputs of the state as a program with the new one's consent has them.

    An import can't show which consent a source has: its tokens count as those of the program's. A consent that leaves
    the program changes nothing.
    """
    if not consents(new):
        return {key: value for key, value in old.items() if key != CONSENT}
    cleaned = without_granted(old, new)
    return cleaned if consents(old) or same(cleaned, old) else {**cleaned, CONSENT: new[CONSENT]}


def _without(live: Property, given: Property) -> Property:
    here, known = unwrap(live), unwrap(given)
    if not isinstance(here, dict):
        return live
    kept: Properties = {}
    for key, item in here.items():
        wanted = known.get(key) if isinstance(known, dict) else None
        cleaned = _without(item, wanted)
        is_token = unwrap(item) == MASK and wanted is None
        if not (is_token or (cleaned == {} and item != {} and wanted is None)):
            kept[key] = cleaned
    return kept


def _placed(tree: Property, path: Path) -> Property:
    if not path:
        return MASK
    here = unwrap(tree)
    inner = here if isinstance(here, dict) else {}
    return {**inner, str(path[0]): _placed(inner.get(str(path[0])), path[1:])}
