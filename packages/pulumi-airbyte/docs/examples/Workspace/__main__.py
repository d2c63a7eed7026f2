"""A workspace for a team."""

import pulumi
import pulumi_airbyte as airbyte

team = airbyte.Workspace("team", name="Data team")
pulumi.export("workspace", team.workspace_id)
