"""Airbyte's rules: predict, without a call, whether the server accepts an input. Pure: no files, no HTTP, no Pulumi."""
