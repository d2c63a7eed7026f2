"""Versions of declarative definitions and their projects in the connector builder, for both APIs.

Source: airbyte-platform DeclarativeSourceDefinitionsHandler, ConnectorBuilderProjectsHandler.
"""

from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid4, uuid5

from airbyte_twin.documents import JsonObject
from airbyte_twin.records import ActorKind, BuilderProject, Definition, ManifestVersion
from airbyte_twin.twin import Twin

RUNNER = "airbyte/source-declarative-manifest"


def manifest_version(
    definition_id: str, version: int, manifest: JsonObject, spec: JsonObject | None = None, description: str = ""
) -> ManifestVersion:
    """One version of a declarative definition."""
    return ManifestVersion(
        id=f"{definition_id}:{version}",
        definition_id=definition_id,
        version=version,
        description=description,
        manifest=manifest,
        spec=spec,
    )


def versions_of(twin: Twin, definition: Definition) -> list[ManifestVersion]:
    """The versions of a declarative definition, the oldest first; none if it has no manifest."""
    found = {each.version: each for each in twin.store.manifests if each.definition_id == definition.id}
    if definition.manifest is not None:
        active = manifest_version(
            definition.id, definition.manifest_version, definition.manifest, definition.manifest_spec
        )
        found.setdefault(active.version, active)
    return [found[version] for version in sorted(found)]


def add_version(twin: Twin, definition: Definition, added: ManifestVersion, *, active: bool) -> Definition:
    """Store a version, and make it the one that is used."""
    for each in (*versions_of(twin, definition), added):
        twin.store.manifests.put(each)
    return activate(twin, definition, added) if active else definition


def activate(twin: Twin, definition: Definition, version: ManifestVersion) -> Definition:
    """Use a version."""
    changes = {
        "manifest": version.manifest,
        "manifest_version": version.version,
        "manifest_spec": version.spec,
        "docker_image_tag": image_tag(version.manifest),
    }
    return twin.store.definitions.put(definition.model_copy(update=changes))


def image_tag(manifest: JsonObject) -> str:
    """The version of the image that runs a manifest."""
    return str(manifest.get("version", "0.0.0"))


def new_definition(twin: Twin, workspace_id: str, name: str, manifest: JsonObject) -> Definition:
    """A declarative definition at its first version."""
    return twin.store.definitions.put(
        Definition(
            id=str(uuid4()),
            kind=ActorKind.SOURCE,
            name=name,
            docker_repository=RUNNER,
            docker_image_tag=image_tag(manifest),
            workspace_id=workspace_id,
            manifest=manifest,
        )
    )


def projects(twin: Twin) -> Iterator[BuilderProject]:
    """All projects; the server gives every declarative definition one."""
    yield from twin.store.projects
    having = {each.definition_id for each in twin.store.projects}
    for definition in twin.store.definitions:
        workspace_id = definition.workspace_id
        if definition.declarative and not definition.deleted and definition.id not in having and workspace_id:
            yield BuilderProject(
                id=str(uuid5(NAMESPACE_URL, f"airbyte-twin:project:{definition.id}")),
                workspace_id=workspace_id,
                name=definition.name,
                definition_id=definition.id,
                updated_at=0,
            )
