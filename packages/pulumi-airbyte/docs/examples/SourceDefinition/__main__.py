"""A connector of one's own, by its image; another tag updates what uses it."""

import pulumi
import pulumi_airbyte as airbyte

desk = airbyte.SourceDefinition(
    "desk",
    workspace_id=airbyte.get_workspace().workspace_id,
    name="Desk",
    docker_repository="registry.example.com/source-desk",
    docker_image_tag="1.4.0",
)
pulumi.export("definition", desk.definition_id)
