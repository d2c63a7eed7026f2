"""The OAuth application of one's own that users of a workspace consent to."""

import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
application = {"client_id": config.require("clientId"), "client_secret": config.require_secret("clientSecret")}
ads = airbyte.OauthCredentials(
    "ads",
    workspace_id=airbyte.get_workspace().workspace_id,
    actor_type="source",
    name="shopify",
    configuration={"credentials": application},
)
pulumi.export("credentials", ads.credentials_id)
