"""The Config API, below `/api/v1`: everything is a POST with a JSON body, but health and instance configuration."""
