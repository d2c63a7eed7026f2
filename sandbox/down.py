"""`make sandbox-down`: ends what the sandbox started and keeps what it remembers."""

from sandbox import lakehouse, s3
from sandbox import twin as twins
from sandbox.place import Place
from sandbox.process import stop


def down(place: Place) -> None:
    """Stop the twin and the S3 server, where they run."""
    twin, server = twins.found(place), s3.found(place)
    if twin is None and server is None:
        print("Nothing of the sandbox is running.")
    if twin is not None:
        stop(twin)
        print(f"The twin on {twin.url} has ended.")
    if server is not None:
        stop(server)
        print(f"The S3 server on {server.url} has ended.")
    if server is not None and not server.keeps:
        twins.forget(place)
        lakehouse.forget(place)
        print("It kept nothing, so the sandbox begins anew the next time.")
        return
    print(f"What they remember stays in {place.folder.name}/; delete that folder to start anew.")
