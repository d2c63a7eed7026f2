"""Sources that dlt reads: a run of Dagster that extracts a stream with a module of the lake, and lands it as files.

`module` loads the lake's module, `rows` makes a record a row of the lake, `journal` makes a run resumable, `store` is
the landing bucket, `land` is the run, and `assets` shows it to Dagster. dlt is imported in runs alone.
"""
