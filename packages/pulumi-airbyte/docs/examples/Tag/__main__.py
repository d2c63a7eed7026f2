"""A label of connections."""

import pulumi
import pulumi_airbyte as airbyte

pii = airbyte.Tag("pii", workspace_id=airbyte.get_workspace().workspace_id, name="pii", color="CAC7FF")
pulumi.export("tag", pii.tag_id)
