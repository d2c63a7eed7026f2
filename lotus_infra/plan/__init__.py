"""What a run of the engine would do, and what that does to data."""
