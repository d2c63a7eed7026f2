"""The commands of `lotus`: one file a command, each parses its options, does the work and shows the result."""
