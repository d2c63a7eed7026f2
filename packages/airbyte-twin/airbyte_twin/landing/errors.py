"""The error of a destination."""


class LandingError(Exception):
    """A failed write with its remedy, shown as a job's failure reason. Never has a secret."""
