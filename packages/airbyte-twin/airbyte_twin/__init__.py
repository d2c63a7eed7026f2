"""A faithful Airbyte on one port."""
