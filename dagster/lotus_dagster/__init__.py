"""The lake's Dagster user code: what watches the landing bucket, and what runs dbt when files have arrived.

It knows the lake's files and names, dbt's manifest, S3 and the warehouse. It must not know Pulumi or Airbyte.
"""
