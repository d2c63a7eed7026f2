"""The only code that speaks HTTP to Airbyte: auth, paging, retries, errors and wire models."""

from pulumi_airbyte.client.airbyte import Airbyte
from pulumi_airbyte.client.errors import AirbyteError
from pulumi_airbyte.client.settings import Auth, ClientSettings, RetryPolicy

__all__ = ["Airbyte", "AirbyteError", "Auth", "ClientSettings", "RetryPolicy"]
