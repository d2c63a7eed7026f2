"""Synthesized records for sources that need an account. Independent of jobs and the store."""
