"""`make sandbox-down`: ends what the sandbox started and keeps what it remembers."""

from sandbox import twin as twins
from sandbox.place import Place


def down(place: Place) -> None:
    """Stop the twin, if it runs."""
    twin = twins.found(place)
    if twin is None:
        print("Nothing of the sandbox is running.")
    else:
        twins.stop(twin)
        print(f"The twin on {twin.url} has ended.")
    print(f"Its state stays in {place.folder.name}/; delete that folder to start anew.")
