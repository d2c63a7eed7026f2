"""What ends a sync on the destination's side.

Knows nothing else of the twin.
"""


class LandingError(Exception):
    """Why nothing can be written, and what to do: the failure reason of a job. Never holds a secret."""
