"""`lotus init`: make the folder of a new lake, and later update the files in it that are Lotus's.

A new lake is written beside its place, checked as `lotus check` does, and then moved there. An upgrade shows its plan
first.
"""

import difflib
import json
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final, cast

import click

from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.options import JSON, YES, confirmed
from lotus_infra.commands.output import write_together
from lotus_infra.commands.scaffold import scaffold_model
from lotus_infra.commands.schema import write_schemas
from lotus_infra.errors import LotusError, has_credentials
from lotus_infra.lake.diagnostics import escape_unprintable, pluralize
from lotus_infra.lake.report import path_from_here, render
from lotus_infra.start.lake_files import CI, NAME, STREAMS, Answers, Ci, given_files, is_executable, managed_files
from lotus_infra.start.upgrade import RECORD, Upgrade, plan_upgrade, read_record, record_of

SAMPLE: Final = ("faker", "users")
"""The source and the stream of a new lake that have a model."""
BUCKETS: Final = ("landing", "state", "backup")
DISTRIBUTION: Final = "lotus-infra"
# S3's rules for new buckets.
_BUCKET: Final = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]*[a-z0-9]"
)
_LONGEST_BUCKET: Final = 63
_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_URL: Final = re.compile(r"https?://[^\s/][^\s\x00-\x20]*")
_GIT: Final = ".git"


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", help="The Pulumi project; default: the folder's name.")
@click.option("--production/--no-production", default=True, help="Guard the stack's state; default: yes.")
@click.option("--bucket", help="The start of the buckets' names; default: the project's name.")
@click.option("--region", default="us-east-1", show_default=True, help="The buckets' region.")
@click.option("--airbyte-url", default="", metavar="URL", help="Airbyte's public API.")
@click.option("--ci", type=click.Choice(CI), default="github", show_default=True, help="Whose workflows to write.")
@click.option("--packages", default="", metavar="FROM", help="Lotus's wheels (a folder or page), or git+URL@REF.")
@click.option("--upgrade", is_flag=True, help="Update the files of Lotus in the lake FOLDER; default: this folder.")
@click.option("--replace", multiple=True, metavar="FILE", help="With --upgrade: replace FILE although it was edited.")
@YES
@click.option("-s", "--stack", metavar="NAME", default="prod", show_default=True, help="The stack to make.")
@JSON
def init(
    folder: Path | None,
    *,
    name: str | None,
    stack: str,
    bucket: str | None,
    region: str,
    airbyte_url: str,
    ci: str,
    packages: str,
    replace: tuple[str, ...],
    production: bool,
    upgrade: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Make a new lake's folder, or update Lotus's files in one.

    The new FOLDER depends on Lotus's packages. It has one source that needs no account, its model, a stack to fill in,
    and the workflows of a review.

    Example: lotus init my-lake --bucket acme-lake
    """
    if upgrade:
        _refuse_answers()
        _upgrade(folder or Path(), frozenset(replace), yes=yes, as_json=as_json)
        return
    if folder is None:
        raise click.UsageError("Name the FOLDER of the new lake.")
    if replace:
        raise click.UsageError("--replace needs --upgrade.")
    chosen = name if name is not None else folder.absolute().name
    answers = Answers(
        name=chosen,
        stack=stack,
        production=production,
        bucket=bucket if bucket is not None else chosen.lower().replace("_", "-"),
        region=region,
        airbyte_url=airbyte_url,
        ci=cast("Ci", ci),
        packages=_packages(packages),
        version=version(DISTRIBUTION),
    )
    files = new_lake(folder, answers)
    _show_new(folder, answers, files, as_json=as_json)


def _refuse_answers() -> None:
    """Refuse the options of a new lake beside `--upgrade`, which would ignore them."""
    context = click.get_current_context()
    answers = ("name", "stack", "production", "bucket", "region", "airbyte_url", "ci", "packages")
    given = [each for each in answers if context.get_parameter_source(each) is click.core.ParameterSource.COMMANDLINE]
    if given:
        named = ", ".join(f"--{each.replace('_', '-')}" for each in given)
        raise click.UsageError(f"{named} is for a new lake, and --upgrade updates one.")


def new_lake(folder: Path, answers: Answers) -> tuple[str, ...]:
    """Write a new lake.

    Args:
        folder: A new or an empty folder; it may be an empty git repository.
        answers: What distinguishes the lake.

    Returns:
        The paths of its files, sorted.

    Raises:
        LotusError: An answer is not valid, the folder is not empty, or it can't be written to.
    """
    _check(answers)
    _check_empty(folder)
    managed = managed_files(answers.stack, answers.ci)
    record = record_of(answers.version, answers.stack, answers.ci, managed)
    files = {**given_files(answers), **managed, RECORD: record.text()}
    with _beside(folder) as made:
        write_together(made, files)
        for name, text in files.items():
            if is_executable(name, text):
                (made / name).chmod(0o755)
        scaffold_model(made / STREAMS, *SAMPLE)
        write_schemas(made / STREAMS)
        report = check_lake_files(made / STREAMS)
        if report.problems:
            # The checks know more of an address or a name than `_check`.
            problems = render(report).replace(f"{path_from_here(made)}{os.sep}", "")
            raise LotusError(problems, "correct the options, and run it again")
        written = sorted(file.relative_to(made).as_posix() for file in made.rglob("*") if file.is_file())
        _move(made, folder)
    return tuple(written)


def _check(answers: Answers) -> None:
    mistakes = list(_mistakes(answers))
    if mistakes:
        *others, (what, remedy) = mistakes
        raise LotusError("\n".join([*(": ".join(each) for each in others), what]), remedy)


def _mistakes(answers: Answers) -> Iterator[tuple[str, str]]:
    """Each mistake, with its remedy."""
    for option, text in (("--name", answers.name), ("--stack", answers.stack)):
        if not re.fullmatch(NAME, text):
            yield f'{option} "{text}" is not valid', "use up to 100 letters, digits, hyphens, dots and underscores"
    for bucket in (f"{answers.bucket}-{purpose}" for purpose in BUCKETS):
        if len(bucket) > _LONGEST_BUCKET or not _BUCKET.fullmatch(bucket):
            remedy = "pass a --bucket of up to 55 lower-case letters, digits and hyphens"
            yield f'"{bucket}" is not a valid name of a bucket', remedy
            break
    if not _REGION.fullmatch(answers.region):
        yield f'--region "{answers.region}" is not valid', "write one such as eu-central-1"
    if answers.airbyte_url and not _URL.fullmatch(answers.airbyte_url):
        yield "--airbyte-url is not an address", "write one such as https://airbyte.example.com/api/public/v1"
    if has_credentials(answers.airbyte_url):
        yield "--airbyte-url has credentials in it", "leave them out, and set airbyte:clientSecret in the stack"
    if not answers.packages.isprintable():
        yield "--packages has characters that can't be printed", "name another place"
    if has_credentials(answers.packages):
        yield "--packages has credentials in it", "leave them out: git and uv have settings of their own for them"


def _packages(given: str) -> str:
    """Where Lotus's packages are: a folder as an absolute path.

    Raises:
        LotusError: It is no folder, and no address.
    """
    if not given or "://" in given:
        return given
    folder = Path(given).absolute()
    if not folder.is_dir():
        raise LotusError(
            f"--packages {given} is not a folder", "name a folder with the wheels, their page, or git+URL@REF"
        )
    return str(folder)


def _check_empty(folder: Path) -> None:
    try:
        inside = sorted(each.name for each in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise LotusError(f"{folder} can't be read ({error.strerror})", "choose another folder") from None
    if RECORD in inside:
        raise LotusError(f"{folder} is a lake already", "pass --upgrade to update its files, or choose another folder")
    if [name for name in inside if name != _GIT]:
        raise LotusError(f"{folder} is not empty", "choose a new or an empty folder")


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A temporary folder on the same disk as another; it is deleted at the end, with all that is still in it."""
    parent = folder.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".lotus-init-", dir=parent))
    except OSError as error:
        raise LotusError(f"{parent} can't be written to ({error.strerror})", "choose another folder") from None
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _move(made: Path, folder: Path) -> None:
    """Move everything from one folder into another, or nothing."""
    is_new = not folder.exists()
    moved: list[Path] = []
    try:
        folder.mkdir(exist_ok=True)
        for each in sorted(made.iterdir()):
            each.rename(folder / each.name)
            moved.append(each)
    except (OSError, KeyboardInterrupt) as error:
        for each in moved:
            with suppress(OSError):
                (folder / each.name).rename(each)
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise LotusError(f"{folder} can't be written to ({error.strerror})", "choose another folder") from None
        raise


def _show_new(folder: Path, answers: Answers, files: tuple[str, ...], *, as_json: bool) -> None:
    following = (
        f"cd {shlex.quote(str(path_from_here(folder)))}",
        "git init -b main && make setup && make check",
        "git add . && git commit -m 'A new lake'",
    )
    if as_json:
        click.echo(
            json.dumps({"ok": True, "folder": str(folder), "files": list(files), "next": list(following)}, indent=2)
        )
        return
    buckets = ", ".join(f"{answers.bucket}-{purpose}" for purpose in BUCKETS)
    lines = (
        f"{path_from_here(folder)}: {pluralize(len(files), 'file')} of the lake {answers.name}.",
        f"Buckets: {buckets} (Pulumi.{answers.stack}.yaml).",
        "Then:",
        *(f"  {line}" for line in following),
        "README.md has the steps to the first deploy.",
    )
    click.echo(escape_unprintable("\n".join(lines)).replace("\\n", "\n"))


def _upgrade(folder: Path, taken: frozenset[str], *, yes: bool, as_json: bool) -> None:
    plan = upgrade_of(folder, taken)
    changes = bool(plan.written or plan.deleted)
    agreed = True
    if not as_json:
        _show_upgrade(folder, plan)
        agreed = not changes or confirmed("Write it?", yes=yes)
    written = agreed and (yes or not as_json)
    if written:
        apply_upgrade(folder, plan)
    if as_json:
        document = {
            "ok": True,
            "version": plan.record.version,
            "written": written and changes,
            "files": sorted(plan.written),
            "deleted": list(plan.deleted),
            "edited": sorted(plan.edited),
            "removed": list(plan.removed),
        }
        click.echo(json.dumps(document, indent=2))


def upgrade_of(folder: Path, taken: frozenset[str]) -> Upgrade:
    """Plan the upgrade of a lake to the installed version.

    Args:
        folder: The lake's folder.
        taken: Edited files to replace nevertheless.

    Raises:
        LotusError: The folder was not made by `lotus init`, a newer Lotus wrote it, or a file can't be read.
    """
    try:
        record = read_record((folder / RECORD).read_bytes().decode(errors="replace"))
    except FileNotFoundError:
        raise LotusError(f"{folder} has no {RECORD}", "name the folder of a lake that `lotus init` made") from None
    installed = version(DISTRIBUTION)
    if _numbers(record.version) > _numbers(installed):
        raise LotusError(
            f"Lotus {record.version} wrote the files, and {installed} is installed",
            "raise it in pyproject.toml, and run `make setup`",
        )
    current = managed_files(record.stack, record.ci)
    unknown = sorted(taken - current.keys())
    if unknown:
        raise LotusError(f"{', '.join(unknown)} is no file of Lotus", f"choose of {', '.join(sorted(current))}")
    names = {*current, *record.files}
    # Line ends are kept: a file with others was edited.
    now = {name: (folder / name).read_bytes().decode(errors="replace") for name in names if (folder / name).is_file()}
    return plan_upgrade(record, now, installed, current, taken)


def apply_upgrade(folder: Path, plan: Upgrade) -> None:
    """Write an upgrade's files, all or none, and delete those that Lotus no longer has.

    Raises:
        LotusError: The folder can't be written to.
    """
    write_together(folder, {**plan.written, RECORD: plan.record.text()})
    for name, text in plan.written.items():
        if is_executable(name, text):
            (folder / name).chmod(0o755)
    for name in plan.deleted:
        (folder / name).unlink(missing_ok=True)


def _show_upgrade(folder: Path, plan: Upgrade) -> None:
    signs = {name: "~" if (folder / name).exists() else "+" for name in plan.written}
    lines = [
        *(f"{sign} {path_from_here(folder / name)}" for name, sign in signs.items()),
        *(f"- {path_from_here(folder / name)}" for name in plan.deleted),
        *(f"{path_from_here(folder / name)}: deleted here, stays deleted" for name in plan.removed),
    ]
    for name, text in plan.edited.items():
        lines.append(
            f"{path_from_here(folder / name)}: edited here, and not replaced. Merge by hand, or --replace {name}:"
        )
        before = (folder / name).read_text(encoding="utf-8", errors="replace")
        lines += [
            f"  {line}"
            for line in difflib.unified_diff(before.splitlines(), text.splitlines(), name, name, lineterm="")
        ]
    click.echo("\n".join(map(escape_unprintable, lines)) if lines else f"Lotus {plan.record.version}: no changes.")


def _numbers(text: str) -> tuple[int, ...]:
    """A version's numbers, to compare two by age."""
    return tuple(map(int, re.findall(r"\d+", text)))
