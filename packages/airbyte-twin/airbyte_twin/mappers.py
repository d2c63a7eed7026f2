"""Mappers of a stream: their shapes, their ids and their one secret, the key of AES encryption.

Knows mapper configurations. Must not know which connection they belong to.
Source: airbyte-platform MapperSecretHelper and the mapper schemas of the public API.
"""

from collections.abc import Iterable
from uuid import uuid4

from airbyte_twin.bodies import MapperBody
from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.errors import ProblemError
from airbyte_twin.mapper_shapes import columns_made, columns_read, known_members, shape_error, shape_name
from airbyte_twin.records import Mapper
from airbyte_twin.secrets import MASK, SecretTree, Vault, is_node

AES_KEY = SecretTree({"properties": {"key": {"airbyte_secret": True}}})


def mapper_problem(mapper_type: str, stream: str, reason: str) -> ProblemError:
    """400 `error:mapper-validation`."""
    return ProblemError(400, "error:mapper-validation", {"stream": stream, "mapper": mapper_type, "error": reason})


def stored_mappers(
    bodies: Iterable[MapperBody], stream: str, fields: Iterable[str], before: Iterable[Mapper], vault: Vault
) -> tuple[Mapper, ...]:
    """Check mappers and put their secrets away.

    Args:
        bodies: As sent; one without an id gets a new one.
        stream: Name, for messages.
        fields: The stream's columns; a mapper may only work on one of them, or on one that a mapper before it made.
        before: The stream's mappers until now; a masked key is kept from the one of the same id.
        vault: Where keys go.

    Raises:
        ProblemError: 400 `error:mapper-validation`, or `…/secret-not-found` for a mask that stands for nothing.
    """
    old = {mapper.id: mapper for mapper in before}
    columns = set(fields)
    stored = []
    for body in bodies:
        configuration = _checked(body, stream, columns)
        known = old.get(str(body.id))
        if configuration.get("key") == MASK and not (known and is_node(known.configuration.get("key"))):
            raise ProblemError(400, "error:mapper-validation/secret-not-found", {"stream": stream, "mapper": body.type})
        old_configuration = known.configuration if known else None
        kept = vault.kept(configuration, AES_KEY, old_configuration)
        sealed = vault.sealed(kept, AES_KEY, old_configuration)
        mapper_id = str(body.id or uuid4())
        stored.append(Mapper(id=mapper_id, type=body.type, configuration=as_object(sealed)))
        columns |= set(columns_made(configuration))
    return tuple(stored)


def _checked(body: MapperBody, stream: str, columns: set[str]) -> JsonObject:
    name = shape_name(body.type, body.mapper_configuration)
    broken = shape_error(name, body.mapper_configuration)
    if broken:
        raise mapper_problem(body.type, stream, f"INVALID_MAPPER_CONFIG: {broken}")
    for column in columns_read(body.mapper_configuration):
        if column not in columns:
            raise mapper_problem(body.type, stream, f"FIELD_NOT_FOUND: {column}")
    return known_members(name, body.mapper_configuration)


def mapper_view(mapper: Mapper, vault: Vault) -> JsonObject:
    """As both APIs show it, its key masked."""
    configuration = vault.masked(mapper.configuration, AES_KEY)
    return {"id": mapper.id, "type": mapper.type, "mapperConfiguration": configuration}
