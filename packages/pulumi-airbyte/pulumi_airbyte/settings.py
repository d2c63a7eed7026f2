"""`airbyte.Provider`: how to reach an Airbyte, where the stack's `airbyte:*` configuration is not enough."""

from typing import Literal

import pulumi


class Provider(pulumi.ProviderResource):
    """One Airbyte server. A program that uses only one needs none: the stack's `airbyte:*` configuration serves."""

    def __init__(
        self,
        resource_name: str,
        *,
        server_url: pulumi.Input[str] | None = None,
        config_url: pulumi.Input[str] | None = None,
        client_id: pulumi.Input[str] | None = None,
        client_secret: pulumi.Input[str] | None = None,
        token_url: pulumi.Input[str] | None = None,
        username: pulumi.Input[str] | None = None,
        password: pulumi.Input[str] | None = None,
        bearer_auth: pulumi.Input[str] | None = None,
        adopt_existing: pulumi.Input[Literal["never", "identical"]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a provider. Give one way to authenticate, or none for a server that asks for none.

        Args:
            resource_name: its name in the program.
            server_url: root of the public API; default $AIRBYTE_SERVER_URL, else Airbyte Cloud.
            config_url: root of the Config API; derived from `server_url` where that ends in `/api/public/v1`.
            client_id: an application's id, with `client_secret`; default $AIRBYTE_CLIENT_ID.
            client_secret: default $AIRBYTE_CLIENT_SECRET.
            token_url: where tokens are issued; default `<server_url>/applications/token`.
            username: for HTTP Basic, with `password`; default $AIRBYTE_USERNAME.
            password: default $AIRBYTE_PASSWORD.
            bearer_auth: a ready token; default $AIRBYTE_BEARER_AUTH.
            adopt_existing: what a create does where an identical object exists: `never` refuses, `identical` adopts it;
                default $AIRBYTE_ADOPT_EXISTING, else `never`.
            opts: the engine's options.
        """
        inputs = {
            "serverUrl": server_url,
            "configUrl": config_url,
            "clientId": client_id,
            "clientSecret": _secret(client_secret),
            "tokenUrl": token_url,
            "username": username,
            "password": _secret(password),
            "bearerAuth": _secret(bearer_auth),
            "adoptExisting": adopt_existing,
        }
        super().__init__("airbyte", resource_name, inputs, opts)


def _secret(value: pulumi.Input[str] | None) -> pulumi.Output[str] | None:
    return None if value is None else pulumi.Output.secret(value)
