"""Clients of everything outside: the engine, object storage, Kubernetes, Dagster, git and Airbyte."""
