"""The public API, below `/api/public/v1`: one module for each kind of object."""
