"""A new lake's files: those that `lotus init` writes once, and those that it updates later. Pure; it writes nothing."""
