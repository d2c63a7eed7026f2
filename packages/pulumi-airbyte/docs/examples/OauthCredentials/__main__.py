"""The team's own OAuth application, which users of this connector consent to (Airbyte Cloud)."""

import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
shopify = airbyte.OauthCredentials(
    "shopify",
    workspace_id=airbyte.get_workspace().workspace_id,
    actor_type="source",
    name="shopify",
    configuration={
        "credentials": {
            "client_id": "the-team's-application",
            "client_secret": config.require_secret("clientSecret"),
        },
    },
)
pulumi.export("credentials", shopify.credentials_id)
