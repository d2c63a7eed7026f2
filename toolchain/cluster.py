"""Gets a Kubernetes API server, with its store and its controllers, and Pulumi's Kubernetes plugin onto this machine.

Released programs on PATH are used as they are: `etcd`, `kube-apiserver`, `kube-controller-manager` and
`pulumi-resource-kubernetes`. What is missing is built from the Go modules in `cluster`, once.

Usage: `python -m toolchain.cluster [--no-build]`. It prints the folder of each part, as a line for PATH. With
`--no-build`, a part that would have to be built is an error. Exit codes: 0, 1 with one message, 130 on Ctrl-C.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from toolchain.engine import BIN, HERE, EngineError, in_go_mod
from toolchain.go_build import GoProgram, built, go_for, is_built

MODULES: Final = HERE / "cluster"
SERVERS: Final = ("etcd", "kube-apiserver", "kube-controller-manager")
KUBERNETES: Final = r"^\s*(?:require )?k8s\.io/kubernetes (v\S+)$"
"""The line of go.mod with the version of Kubernetes."""
PLUGIN: Final = "pulumi-resource-kubernetes"
PLUGIN_MODULE: Final = "github.com/pulumi/pulumi-kubernetes/provider/v4"
PLUGIN_VERSION: Final = "4.25.0"
"""The release that the plugin's commit precedes: the module has no tags from which a version could be read."""
NO_GO: Final = (
    "There is no Kubernetes API server on this machine, and no Go that is new enough to build one. Do one of:\n"
    "  - put etcd, kube-apiserver and kube-controller-manager on PATH: https://kubernetes.io/releases/download/\n"
    "  - install the Go that toolchain/go.mod names, or newer: https://go.dev/dl/"
)
NO_GO_FOR_PLUGIN: Final = (
    "Pulumi's Kubernetes plugin is not on this machine, and there is no Go that is new enough to build it. Do one of:\n"
    "  - put pulumi-resource-kubernetes on PATH: https://github.com/pulumi/pulumi-kubernetes/releases\n"
    "  - install the Go that toolchain/go.mod names, or newer: https://go.dev/dl/"
)


@dataclass(frozen=True)
class ClusterPrograms:
    """Folders with the programs of a cluster.

    Attributes:
        servers: with `etcd`, `kube-apiserver` and `kube-controller-manager`.
        plugin: with `pulumi-resource-kubernetes`.
    """

    servers: Path
    plugin: Path


def cluster_programs(*, may_build: bool = True) -> ClusterPrograms:
    """Finds the programs of a cluster, or builds them; builds are kept in `toolchain/bin/cluster`.

    Raises:
        EngineError: one is missing, and there is no Go that can build it, the build failed or was not wanted.
    """
    return ClusterPrograms(_servers(may_build=may_build), _plugin(may_build=may_build))


def _servers(*, may_build: bool) -> Path:
    on_path = [shutil.which(name) for name in SERVERS]
    folders = {Path(found).parent for found in on_path if found is not None}
    if None not in on_path and len(folders) == 1:
        return folders.pop()
    module = MODULES / "server"
    version = f"k8s.io/component-base/version.gitVersion={in_go_mod(KUBERNETES, module)}"
    lasts = "ten to thirty minutes"
    program = GoProgram(module, ".", "Kubernetes API server", lasts, NO_GO, variables=(version,))
    target = BIN / "cluster" / "server"
    _require_build(target, program, may_build=may_build)
    built(target, program)
    for name in SERVERS:
        _link(target.with_name(name), target)
    return target.parent


def _plugin(*, may_build: bool) -> Path:
    on_path = shutil.which(PLUGIN)
    if on_path is not None:
        return Path(on_path).parent
    module = MODULES / "plugin"
    version = f"{PLUGIN_MODULE}/pkg/version.Version=v{PLUGIN_VERSION}"
    called, lasts = "Kubernetes plugin", "ten to thirty minutes"
    program = GoProgram(module, ".", called, lasts, NO_GO_FOR_PLUGIN, variables=(version,))
    target = BIN / "cluster" / PLUGIN
    _require_build(target, program, may_build=may_build)
    if not is_built(target, program):
        _write_embedded(program)
    return built(target, program).parent


def _require_build(target: Path, program: GoProgram, *, may_build: bool) -> None:
    if not may_build and not is_built(target, program):
        raise EngineError(f"The {program.called} is not built: run `make cluster` first.")


def _write_embedded(program: GoProgram) -> None:
    """Writes the files that the plugin embeds: those in its module, the schema with the version."""
    go = go_for(program)
    for command in (["mod", "download", PLUGIN_MODULE], ["list", "-f", "{{.Dir}}", "-m", PLUGIN_MODULE]):
        done = subprocess.run([go, *command], cwd=program.module, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise EngineError(f"The {program.called} could not be built; Go's output:\n{done.stderr.strip()}")
    given, embedded = Path(done.stdout.strip()) / "cmd" / PLUGIN, program.module / "generated"
    embedded.mkdir(exist_ok=True)
    schema = json.loads((given / "schema.json").read_text(encoding="utf-8")) | {"version": PLUGIN_VERSION}
    (embedded / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    (embedded / "terraform-mapping.json").write_bytes((given / "terraform-mapping.json").read_bytes())


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink():
        link.symlink_to(target.name)


def main() -> int:
    """Parses the arguments, finds or builds, and returns the exit code."""
    parser = argparse.ArgumentParser(description="Find or build a Kubernetes API server and Pulumi's plugin for it.")
    parser.add_argument("--no-build", action="store_true", help="fail instead of building what is missing")
    try:
        programs = cluster_programs(may_build=not parser.parse_args().no_build)
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(os.pathsep.join(dict.fromkeys([str(programs.servers), str(programs.plugin)])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
