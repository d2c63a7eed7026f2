"""The lake's Dagster user code: it watches the landing bucket and runs dbt when files have arrived.

It depends on the lake's files and names, dbt's manifest, S3 and the warehouse, never on Pulumi or Airbyte.
"""
