"""`toolchain/cluster.py`: where the Kubernetes API server and the plugin come from."""

import json
import os
from pathlib import Path

import pytest

from tests.unit.toolchain.test_s3_server import tool
from toolchain import cluster, engine
from toolchain.cluster import PLUGIN, SERVERS, ClusterPrograms, cluster_programs

BUILDS = """#!/bin/sh
case "$1" in
  env) echo go1.26.8; exit;;
  mod) exit;;
  list) echo "$MODULE"; exit;;
esac
for argument; do
  if [ "$last" = -o ]; then out=$argument; fi
  last=$argument
done
echo "$PWD" >> "$LOG"
echo x > "$out"
"""
MODULE_FILES = {"schema.json": '{"name": "kubernetes"}', "terraform-mapping.json": "{}"}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder of PATH that has tools; builds go beside it, and so does the plugin's module."""
    folder = tmp_path / "path"
    given = tmp_path / "module" / "cmd" / PLUGIN
    modules = tmp_path / "modules"
    for made in (folder, given, modules / "plugin", modules / "server"):
        made.mkdir(parents=True)
    for name, text in MODULE_FILES.items():
        (given / name).write_text(text, encoding="utf-8")
    for module in ("plugin", "server"):
        for name in ("go.mod", "go.sum", "main.go"):
            (modules / module / name).write_bytes((cluster.MODULES / module / name).read_bytes())
    monkeypatch.setattr(engine, "BIN", tmp_path / "bin")
    monkeypatch.setattr(cluster, "BIN", tmp_path / "bin")
    monkeypatch.setattr(cluster, "MODULES", modules)
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), "/bin", "/usr/bin"]))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setenv("MODULE", str(tmp_path / "module"))
    return folder


def built(tmp_path: Path) -> list[str]:
    log = tmp_path / "log"
    return [Path(line).name for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def test_released_programs_on_path_are_used_as_they_are(path: Path, tmp_path: Path) -> None:
    for name in (*SERVERS, PLUGIN):
        tool(path, name, "#!/bin/sh\n")

    assert cluster_programs() == ClusterPrograms(path, path)
    assert built(tmp_path) == []


def test_without_them_both_are_built_once_and_one_server_has_three_names(path: Path, tmp_path: Path) -> None:
    tool(path, "go", BUILDS)

    folder = tmp_path / "bin" / "cluster"
    assert cluster_programs() == cluster_programs() == ClusterPrograms(folder, folder)
    assert built(tmp_path) == ["server", "plugin"]
    assert {(folder / name).resolve().name for name in SERVERS} == {"server"}


def test_the_plugin_embeds_the_schema_of_its_module_with_its_version(path: Path, tmp_path: Path) -> None:
    tool(path, "go", BUILDS)
    cluster_programs()

    embedded = json.loads((tmp_path / "modules" / "plugin" / "generated" / "schema.json").read_text(encoding="utf-8"))
    assert embedded == {"name": "kubernetes", "version": cluster.PLUGIN_VERSION}


@pytest.mark.parametrize("missing", [*SERVERS])
def test_a_part_of_the_servers_on_path_is_not_enough(path: Path, tmp_path: Path, missing: str) -> None:
    tool(path, "go", BUILDS)
    for name in {*SERVERS} - {missing}:
        tool(path, name, "#!/bin/sh\n")

    assert cluster_programs().servers == tmp_path / "bin" / "cluster"


def test_a_build_that_is_not_wanted_is_an_error_with_the_command(path: Path, tmp_path: Path) -> None:
    tool(path, "go", BUILDS)

    with pytest.raises(engine.EngineError, match="run `make cluster` first"):
        cluster_programs(may_build=False)
    assert built(tmp_path) == []


def test_a_module_that_cannot_be_downloaded_is_an_error_with_what_go_says(path: Path, tmp_path: Path) -> None:
    tool(path, "go", BUILDS.replace("mod) exit;;", "mod) echo no such host >&2; exit 1;;"))
    for name in SERVERS:
        tool(path, name, "#!/bin/sh\n")

    with pytest.raises(engine.EngineError, match="plugin could not be built; Go's output:\nno such host"):
        cluster_programs()
    assert built(tmp_path) == []


def test_without_go_the_error_names_both_ways(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(path))

    with pytest.raises(engine.EngineError, match="put etcd, kube-apiserver and kube-controller-manager on PATH"):
        cluster_programs()
    for name in SERVERS:
        tool(path, name, "#!/bin/sh\n")
    with pytest.raises(engine.EngineError, match="put pulumi-resource-kubernetes on PATH"):
        cluster_programs()
