"""Lotus: a data lake's ingestion as code."""
