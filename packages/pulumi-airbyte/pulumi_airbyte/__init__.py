"""The Airbyte provider for Pulumi."""
