"""The lake's files: models, loader, checks."""
