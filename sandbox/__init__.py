"""The lake on one machine: an Airbyte twin, a local state, and the real engine over the project's own program."""
