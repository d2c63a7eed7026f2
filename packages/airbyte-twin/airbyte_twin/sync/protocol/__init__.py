"""Connectors as subprocesses that speak the Airbyte protocol. Independent of jobs, destinations and the store."""
