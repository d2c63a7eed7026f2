"""Jobs carried out: planned in the twin's thread, worked on in threads that touch no store, noted in the twin's thread."""
