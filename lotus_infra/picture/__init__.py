"""A picture of the lake: from sources over streams and their files to models and marts, as Mermaid or as SVG.

It knows the lake's files and those of the dbt project, and nothing of what runs.
"""
