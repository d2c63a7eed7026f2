"""The entry point of `pulumi-resource-airbyte`. It skips unneeded imports, which halves the start-up time.

The engine starts a plugin for every command. Of Pulumi's SDK, a plugin needs only the messages, not the code that runs
programs. Of httpx, it does not need the command line, which imports rich and pygments if they are installed. Other
processes, such as tests, import `provider.plugin` directly.
"""

import sys
from importlib.util import find_spec, module_from_spec


def _unrun(package: str) -> None:
    """Make a package's modules importable without running its `__init__`."""
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    sys.modules[package] = module_from_spec(spec)


def main() -> None:
    """Run the Airbyte provider."""
    for package in ("pulumi", "pulumi.runtime"):
        _unrun(package)
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # httpx works without it
    from pulumi_airbyte.provider import plugin  # noqa: PLC0415

    plugin.main()
