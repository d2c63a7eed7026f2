"""A stack's configuration as typed models."""
