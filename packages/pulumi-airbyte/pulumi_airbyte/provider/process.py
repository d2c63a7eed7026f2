"""The process `pulumi-resource-airbyte`, which loads only what a plugin needs: nearly half of its start.

The engine starts a plugin for every command. Of Pulumi's SDK a plugin needs the messages alone, and not what runs
programs; of httpx not its command line, which brings rich and pygments where they are installed. A process that does
more than serve, such as a test, imports `provider.plugin` as it is.
"""

import sys
from importlib.util import find_spec, module_from_spec


def _unrun(package: str) -> None:
    """Lets modules of a package be imported without running the package's own `__init__`."""
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    sys.modules[package] = module_from_spec(spec)


def main() -> None:
    """Run the Airbyte provider."""
    for package in ("pulumi", "pulumi.runtime"):
        _unrun(package)
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # httpx asks for it, and does without
    from pulumi_airbyte.provider import plugin  # noqa: PLC0415

    plugin.main()
