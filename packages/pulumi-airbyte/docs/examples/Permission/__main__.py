"""A colleague who may edit the workspace."""

import pulumi
import pulumi_airbyte as airbyte

editor = airbyte.Permission(
    "editor",
    user_id=airbyte.get_user(email="ada@example.com").user_id,
    workspace_id=airbyte.get_workspace().workspace_id,
    permission_type="workspace_editor",
)
pulumi.export("permission", editor.permission_id)
