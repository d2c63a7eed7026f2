"""The dbt project beside the lake: what its files say, whether they agree with the streams, and files for new streams.

Files are read as text; nothing here knows dbt, Dagster or a database, so that `lotus check` stays fast and runs
anywhere.
"""
