"""Connectors as subprocesses that speak the Airbyte protocol. Must not know jobs, destinations or the store."""
