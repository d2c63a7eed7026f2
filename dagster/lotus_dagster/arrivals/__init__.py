"""What has arrived in the landing bucket since the last look.

`decide` is the whole of it: a pure step from a cursor and a listing to a decision. `s3` and `folder` list, `shell`
joins them; nothing here knows dbt or Dagster.
"""
