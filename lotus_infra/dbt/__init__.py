"""The dbt project beside the lake, read as text: its models and properties, the field contract, and scaffolds.

Nothing here imports dbt, Dagster or a database, so that `lotus check` is fast and runs anywhere.
"""

PROJECT_FILE = "dbt_project.yml"
"""dbt's name for the file that makes a folder a project; here, so that looking for it needs no parser of SQL."""
