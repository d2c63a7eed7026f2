"""`make sandbox-down`: stop the sandbox's servers and keep their data."""

from sandbox import lakehouse, s3, ui
from sandbox import twin as twins
from sandbox.layout import Layout
from sandbox.process import stop


def down(layout: Layout) -> None:
    """Stop Dagster's interface, the twin and the S3 server, where they run."""
    interface, twin, server = ui.found(layout), twins.found(layout), s3.found(layout)
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
        twins.forget(layout)
        lakehouse.forget(layout)
        print("Its objects are gone: the next sandbox starts empty.")
        return
    print(f"Their data stays in {layout.folder.name}/; delete that folder to start empty.")
