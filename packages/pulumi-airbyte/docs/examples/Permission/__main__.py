"""What a user may do in a workspace."""

import pulumi
import pulumi_airbyte as airbyte

ana = airbyte.Permission(
    "ana",
    user_id=pulumi.Config().require("userId"),
    workspace_id=airbyte.get_workspace().workspace_id,
    permission_type="workspace_editor",
)
pulumi.export("permission", ana.permission_id)
