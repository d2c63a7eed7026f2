"""The Config API, below `/api/v1`: a POST with a JSON body for everything except health and instance configuration."""
