"""Airbyte's rules, pure: what the server takes, known before it is asked. Knows neither files, nor HTTP, nor Pulumi."""
