"""The entry point of `pulumi-resource-airbyte`. It skips unneeded work, which halves the start-up time.

The engine starts a plugin for every command. Of Pulumi's SDK, a plugin needs only the messages, not the code that runs
programs. Of httpx, it does not need the command line, which imports rich and pygments if they are installed. Other
processes, such as tests, import `provider.plugin` directly. What is imported is no garbage, and pydantic needs no
plugins, for which it would read the metadata of every installed package.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from typing import Final

SELDOM: Final = 100_000
"""New objects after which Python looks for garbage; its own default is 700."""


@contextmanager
def lean() -> Iterator[None]:
    """Skip what no plugin needs, in a process that imports its plugin in the block, and nothing of Pulumi before."""
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for package in ("pulumi", "pulumi.runtime"):
        _unrun(package)
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # httpx works without it
    yield
    gc.freeze()
    gc.set_threshold(SELDOM)
    gc.enable()


def _unrun(package: str) -> None:
    """Make a package's modules importable without running its `__init__`."""
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    sys.modules[package] = module_from_spec(spec)


def main() -> None:
    """Run the Airbyte provider."""
    with lean():
        from pulumi_airbyte.provider import plugin, servicer  # noqa: F401, PLC0415
    plugin.main()
