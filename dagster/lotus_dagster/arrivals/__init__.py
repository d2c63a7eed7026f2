"""What has arrived in the landing bucket since the last look.

`decide` is a pure step from a cursor and a listing to a decision. `landing` lists S3 or a folder, and `look` joins
the two. Nothing here depends on dbt or Dagster.
"""
