"""The public API, below `/api/public/v1`: one module a kind of object."""
