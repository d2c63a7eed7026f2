"""Mappers of a stream: their shapes, their ids and their one secret, the key of AES encryption.

Knows mapper configurations. Must not know which connection they belong to.
Source: airbyte-platform MapperSecretHelper and the mapper schemas of the public API.
"""

from collections.abc import Iterable
from uuid import uuid4

from airbyte_twin.bodies import MapperBody
from airbyte_twin.documents import JsonArray, JsonObject, as_object
from airbyte_twin.errors import ProblemError
from airbyte_twin.mapper_shapes import (
    columns_made,
    columns_read,
    condition_view,
    known_members,
    shape_error,
    shape_name,
)
from airbyte_twin.records import Mapper
from airbyte_twin.secrets import MASK, SecretTree, Vault, is_node

AES_KEY = SecretTree({"properties": {"key": {"airbyte_secret": True}}})


def mapper_problem(mapper: Mapper, stream: str, reason: str) -> ProblemError:
    """400 `error:mapper-validation`."""
    shown: JsonObject = {"id": mapper.id, "type": mapper.type, "mapperConfiguration": mapper.configuration}
    errors: JsonArray = [{"stream": stream, "error": reason, "mapper": shown}]
    return ProblemError(400, "error:mapper-validation", {"errors": errors})


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
        ProblemError: 400 `error:mapper-validation`, `…/invalid-config` for a configuration of another shape, or
            `…/secret-not-found` for a mask that stands for nothing.
    """
    old = {mapper.id: mapper for mapper in before}
    columns = set(fields)
    stored = []
    for body in bodies:
        mapper_id = str(body.id or uuid4())
        configuration = _checked(mapper_id, body, stream, columns)
        known = old.get(str(body.id))
        if configuration.get("key") == MASK and not (known and is_node(known.configuration.get("key"))):
            raise ProblemError(400, "error:mapper-validation/secret-not-found", {"stream": stream, "mapper": body.type})
        old_configuration = known.configuration if known else None
        kept = vault.kept(configuration, AES_KEY, old_configuration)
        sealed = vault.sealed(kept, AES_KEY, old_configuration)
        stored.append(Mapper(id=mapper_id, type=body.type, configuration=as_object(sealed)))
        columns |= set(columns_made(configuration))
    return tuple(stored)


def _checked(mapper_id: str, body: MapperBody, stream: str, columns: set[str]) -> JsonObject:
    name = shape_name(body.type, body.mapper_configuration)
    broken = shape_error(name, body.mapper_configuration)
    if broken:
        data: JsonObject = {"mapperId": mapper_id, "mapperType": body.type, "message": broken}
        raise ProblemError(400, "error:mapper-validation/invalid-config", data)
    configuration = known_members(name, body.mapper_configuration)
    for column in columns_read(configuration):
        if column not in columns:
            shown = Mapper(id=mapper_id, type=body.type, configuration=configuration)
            raise mapper_problem(shown, stream, "FIELD_NOT_FOUND")
    return configuration


def mapper_view(mapper: Mapper, vault: Vault) -> JsonObject:
    """As both APIs show it, its key masked."""
    configuration = as_object(vault.masked(mapper.configuration, AES_KEY))
    if "conditions" in configuration:
        configuration = {**configuration, "conditions": condition_view(configuration["conditions"])}
    return {"id": mapper.id, "type": mapper.type, "mapperConfiguration": configuration}
