"""`make sandbox-down`: ends what the sandbox started and keeps what it remembers."""

from sandbox import lakehouse, s3, ui
from sandbox import twin as twins
from sandbox.place import Place
from sandbox.process import stop


def down(place: Place) -> None:
    """Stop Dagster's interface, the twin and the S3 server, where they run."""
    interface, twin, server = ui.found(place), twins.found(place), s3.found(place)
    if interface is None and twin is None and server is None:
        print("Nothing of the sandbox is running.")
    if interface is not None:
        stop(interface)
        print(f"Dagster's interface on {interface.url} has ended.")
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
