"""Jobs: planned in the twin's thread, run in threads that do not touch the store."""
