"""Jobs carried out: planned and noted in the twin's thread, worked on in threads that touch no store."""
