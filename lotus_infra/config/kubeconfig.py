"""The API server of a kubeconfig's context, read as Kubernetes' clients read it, without calling it.

Apart from Kubernetes' own client, which takes over a second to load, and which `config` may not import.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lotus_infra.config.backend import home_path
from lotus_infra.config.stack_files import read


def server_of(kubeconfig: str | None, context: str, environment: Mapping[str, str]) -> str:
    """The address of a context's API server; empty if there is no such context.

    Args:
        kubeconfig: A file; else those of `$KUBECONFIG`, else the default one.
        context: The context's name.
        environment: The environment's variables.
    """
    files = [read(file).content for file in _files(kubeconfig, environment)]
    # Of two entries with one name, the first file's counts.
    cluster = next((str(each.get("cluster")) for each in _named(files, "context", context)), "")
    return next((str(each.get("server", "")) for each in _named(files, "cluster", cluster)), "")


def _files(kubeconfig: str | None, environment: Mapping[str, str]) -> Iterator[Path]:
    given = [kubeconfig] if kubeconfig else environment.get("KUBECONFIG", "").split(os.pathsep)
    named = [path for path in given if path] or ["~/.kube/config"]
    return (home_path(environment, path) for path in named)


def _named(files: Sequence[Mapping[str, object]], kind: str, name: str) -> Iterator[Mapping[str, object]]:
    """The entries of a kind with a name, in all files."""
    for file in files:
        entries = file.get(f"{kind}s")
        for entry in entries if isinstance(entries, list) else ():
            found = entry.get(kind) if isinstance(entry, dict) and entry.get("name") == name else None
            if isinstance(found, dict):
                yield found
