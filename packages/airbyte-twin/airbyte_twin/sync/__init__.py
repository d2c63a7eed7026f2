"""Syncs: read a source, real or synthesized, and write to a destination."""
