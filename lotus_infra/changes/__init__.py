"""What a run of the engine would do, read from what it prints: pure, without an engine or a server."""
