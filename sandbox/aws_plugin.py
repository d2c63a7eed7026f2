"""Which aws plugin the sandbox's engine finds: the official one where the machine has it, else the stand-in."""

import os
from importlib import metadata
from pathlib import Path
from typing import Final

from sandbox.layout import Layout

NAME: Final = "pulumi-resource-aws"
STAND_IN: Final = Path(__file__).resolve().parent / "plugins" / NAME


def install(layout: Layout) -> bool:
    """Put the plugin where the engine looks for installed ones; returns whether it is the official one."""
    folder = f"resource-aws-v{metadata.version('pulumi-aws')}"
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    official = home / "plugins" / folder / NAME
    link = layout.home / "plugins" / folder / NAME
    # In a shell that has read `.sandbox/env`, the user's home is the sandbox's own.
    wanted = official if official.is_file() and official != link else STAND_IN
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink() or link.exists():
        link.unlink()
    link.symlink_to(wanted)
    return wanted == official
