"""Syncs: what a source says, read from a real connector or made up, and the jobs that carry it to a destination."""
