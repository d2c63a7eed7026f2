"""The commands of `lotus`, each a file or a folder: it parses its options, does the work and shows the result."""
