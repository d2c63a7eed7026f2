"""The files of the sandbox, all under `.sandbox/` and none of them committed, and the lock on them."""

import fcntl
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PASSPHRASE: Final = "sandbox"
"""Protects nothing: the sandbox has no secrets. `Pulumi.sandbox.yaml` has the salt that goes with it."""
STACK: Final = "sandbox"
REGION: Final = "us-west-1"
STATE_BUCKET: Final = "lotus-state"
S3_KEY: Final = "sandbox"
"""Both halves of the S3 server's one access key; `Pulumi.sandbox.yaml` gives it to Airbyte. It protects nothing."""
DAGSTER_URL: Final = "LOTUS_DAGSTER_URL"
"""The variable of `lotus status` for the address of Dagster."""
FOREIGN: Final = ("AIRBYTE_", "AWS_", "PULUMI_")
"""Beginnings of the variables that a command of the sandbox must not take from the caller's shell."""
_SHELL: Final = """# For sh, bash and zsh: `. .sandbox/env` makes lotus, pulumi, dbt and dagster use the sandbox.
for lotus_name in $(env | sed -n -E 's/^(({foreign})[A-Za-z0-9_]*)=.*/\\1/p'); do
  unset "$lotus_name"
done
lotus_path={first}
case "$PATH:" in "$lotus_path:"*) ;; *) PATH="$lotus_path:$PATH" ;; esac
{last}unset lotus_name lotus_path
export PATH
{exports}
"""
_APPENDED: Final = """lotus_path={folder}
case ":$PATH:" in *":$lotus_path:"*) ;; *) PATH="$PATH:$lotus_path" ;; esac
"""


@dataclass(frozen=True)
class Layout:
    """The sandbox's folders and files.

    Attributes:
        project: the folder of Pulumi.yaml.
    """

    project: Path

    @classmethod
    def of_project(cls) -> "Layout":
        """The sandbox of this checkout."""
        return cls(Path(__file__).resolve().parents[1])

    @property
    def folder(self) -> Path:
        """`.sandbox/`, made when it is asked for."""
        folder = self.project / ".sandbox"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def twin_file(self) -> Path:
        """Which process the twin is, and where it listens."""
        return self.folder / "twin.json"

    @property
    def twin_log(self) -> Path:
        """The twin's output."""
        return self.folder / "twin.log"

    @property
    def twin_data(self) -> Path:
        """The twin's objects, kept between runs."""
        return self.folder / "airbyte"

    @property
    def environment_file(self) -> Path:
        """For a shell: `. .sandbox/env` makes `pulumi` mean this sandbox."""
        return self.folder / "env"

    @property
    def variables_file(self) -> Path:
        """The variables of Dagster's runs which were known once the stack was up (`variables.of_runs`)."""
        return self.folder / "variables.json"

    @property
    def s3_file(self) -> Path:
        """Which process the S3 server is, and where it listens."""
        return self.folder / "s3.json"

    @property
    def s3_log(self) -> Path:
        """The S3 server's output."""
        return self.folder / "s3.log"

    @property
    def s3_data(self) -> Path:
        """The S3 server's buckets, versions and metadata."""
        return self.folder / "s3"

    @property
    def ui_file(self) -> Path:
        """Which process Dagster's interface is, and where it listens."""
        return self.folder / "ui.json"

    @property
    def home(self) -> Path:
        """The engine's own folder, apart from the user's."""
        return self.folder / "home"

    @property
    def log(self) -> Path:
        """All output of the last `make sandbox`, where it was quiet."""
        folder = self.folder / "log"
        folder.mkdir(exist_ok=True)
        return folder / "up.log"

    def environment(self, path: str, airbyte_url: str, s3_url: str) -> dict[str, str]:
        """What the engine and the program need, beside the caller's own environment.

        Args:
            path: PATH, with the engine in front.
            airbyte_url: root of the twin's public API.
            s3_url: the S3 server.
        """
        server = s3_url.removeprefix("http://")
        state = f"endpoint={server}&disableSSL=true&s3ForcePathStyle=true&region={REGION}"
        return {
            "PATH": path,
            "AIRBYTE_SERVER_URL": airbyte_url,
            "AWS_ACCESS_KEY_ID": S3_KEY,
            "AWS_ENDPOINT_URL_S3": s3_url,
            "AWS_REGION": REGION,
            "AWS_SECRET_ACCESS_KEY": S3_KEY,
            "PULUMI_BACKEND_URL": f"s3://{STATE_BUCKET}?{state}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DIY_BACKEND_ZSTD": "true",
            "PULUMI_HOME": str(self.home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_STACK": STACK,
        }

    def write_environment(self, variables: Mapping[str, str], first: Sequence[str], last: Sequence[str] = ()) -> None:
        """Write the file for shells.

        Args:
            variables: to export; PATH is not, since a shell has its own.
            first: folders for the front of PATH.
            last: folders for the end of PATH, where it does not have them.
        """
        text = _SHELL.format(
            foreign="|".join(FOREIGN),
            first=shlex.quote(os.pathsep.join(first)),
            last="".join(_APPENDED.format(folder=shlex.quote(folder)) for folder in last),
            exports="\n".join(
                f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items()) if name != "PATH"
            ),
        )
        write_whole(self.environment_file, text)

    def set_dagster_url(self, url: str) -> None:
        """Change Dagster's address in the file for shells."""
        if self.environment_file.exists():
            text = self.environment_file.read_text(encoding="utf-8")
            line = f"export {DAGSTER_URL}={shlex.quote(url)}"
            write_whole(self.environment_file, re.sub(rf"^export {DAGSTER_URL}=.*$", line, text, flags=re.MULTILINE))


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Wait until no other command of this sandbox runs; the system releases the lock of one that was killed."""
    with (layout.folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another sandbox command is running: waiting for it to end.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_whole(file: Path, text: str) -> None:
    """Replace a file in one step, so that no reader sees half of it."""
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
