"""A production stack on the real engine, started from a shell that means another state."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lotus_infra.clients.pulumi import Engine
from lotus_infra.config.backend import Backend
from lotus_infra.config.stack import Project, selected_stack
from tests.engine.harness import Pulumi, Result
from tests.engine.lake import Lake

LOTUS = Path(sys.executable).with_name("lotus")
S3 = "s3://lake-state?region=us-west-1&s3ForcePathStyle=true"
AZURE = "azblob://lake-state?storage_account=lake&protocol=https&domain=blob.core.windows.net"


class Elsewhere(ThreadingHTTPServer):
    """A server that no file names. It refuses every request, and records it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Refusing)
        self.calls: list[str] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class Refusing(BaseHTTPRequestHandler):
    """Answers 403 in the form of S3."""

    server: Elsewhere

    def do_GET(self) -> None:
        """Answer any request."""
        self.server.calls.append(self.path)
        body = b"<Error><Code>AccessDenied</Code></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815, the names are the base class'

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def lotus(pulumi: Pulumi, *arguments: str) -> Result:
    """A command of `lotus`, as its user runs it."""
    ran = subprocess.run(
        [str(LOTUS), *arguments],
        cwd=pulumi.project,
        env=pulumi.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(arguments, ran.returncode, ran.stdout, ran.stderr)


def test_a_production_stack_on_a_local_backend_is_refused_before_any_call(lake: Lake) -> None:
    lake.pulumi.config_set("lotus:production", "true")
    lake.twin.clear_calls()

    for refused in (lake.pulumi.preview().failed(), lake.pulumi.up().failed()):
        assert "the stack test is marked lotus:production, and may not run like this" in refused.output
        assert "Pulumi.yaml names no backend" in refused.output
        assert "unset PULUMI_BACKEND_URL" in refused.output
        assert f"$AIRBYTE_SERVER_URL decides: {lake.twin.public_url}" in refused.output
        assert "Traceback" not in refused.output
    assert lake.twin.calls() == []
    assert lake.pulumi.locks() == []


def test_the_backend_is_the_one_that_the_command_line_chooses(pulumi: Pulumi, tmp_path: Path) -> None:
    addresses = {}
    for name in ("environment", "declared", "login"):
        (tmp_path / name).mkdir()
        addresses[name] = (tmp_path / name).as_uri()
    definition = pulumi.project / "Pulumi.yaml"
    plain = definition.read_text(encoding="utf-8")
    pulumi.run("login", addresses["login"]).ok()

    for variable, declared, by in (
        (addresses["environment"], addresses["declared"], "$PULUMI_BACKEND_URL"),
        ("", addresses["declared"], "Pulumi.yaml"),
        ("", "", "pulumi login"),
    ):
        pulumi.environment["PULUMI_BACKEND_URL"] = variable
        definition.write_text(plain.replace("{", f'{{"backend": {{"url": "{declared}"}},', 1), encoding="utf-8")

        chosen = Backend.chosen(declared, pulumi.environment)

        assert chosen.chosen_by == by
        assert f"Backend URL: {chosen.url}\n" in pulumi.run("whoami", "--verbose").ok().stdout


def declare_backend(pulumi: Pulumi, url: str) -> None:
    """Write `backend.url` into the project's file, and leave the choice to it."""
    file = pulumi.project / "Pulumi.yaml"
    document = json.loads(file.read_text(encoding="utf-8")) | {"backend": {"url": url}}
    file.write_text(json.dumps(document), encoding="utf-8")
    pulumi.environment.pop("PULUMI_BACKEND_URL", None)


def hermetic(pulumi: Pulumi, folder: Path, config: str) -> None:
    """Give the SDKs a home folder of their own, with an AWS configuration file."""
    kept = {key: value for key, value in pulumi.environment.items() if not key.startswith(("AWS_", "AZURE_"))}
    pulumi.environment.clear()
    (folder / "config").write_text(config, encoding="utf-8")
    pulumi.environment |= kept | {
        "HOME": str(folder),
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


Redirected = tuple[str, Mapping[str, str], str]
"""A backend's URL, variables, and the AWS configuration file; `{url}` and `{host}` are those of another server."""
REDIRECTED: Sequence[Redirected] = [
    (S3, {"AWS_ENDPOINT_URL_S3": "{url}"}, ""),
    (S3, {"AWS_ENDPOINT_URL": "{url}"}, ""),
    (S3, {}, "[default]\nendpoint_url = {url}\n"),
    (S3, {}, "[profile default]\nendpoint_url = {url}\n"),
    (S3, {}, "[default]\nservices = own\n[services own]\ns3 =\n  endpoint_url = {url}\n"),
    (S3, {"AWS_PROFILE": "lake"}, "[profile lake]\nendpoint_url = {url}\n"),
    (S3, {"AWS_DEFAULT_PROFILE": "lake"}, "[profile lake]\nendpoint_url = {url}\n"),
    (f"{S3}&endpoint=s3.example.internal&disableSSL=true", {"HTTP_PROXY": "{url}"}, ""),
    (
        "azblob://lake-state?storage_account=lake",
        {"AZURE_STORAGE_DOMAIN": "{host}", "AZURE_STORAGE_PROTOCOL": "http", "AZURE_STORAGE_SAS_TOKEN": "a"},
        "",
    ),
    (
        AZURE,
        {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=lake;AccountKey=YQ==;BlobEndpoint={url}/lake"},
        "",
    ),
    ("gs://lake-state", {"STORAGE_EMULATOR_HOST": "{host}", "GOOGLE_OAUTH_ACCESS_TOKEN": "a"}, ""),
]


@pytest.mark.parametrize("redirected", REDIRECTED)
def test_each_way_in_which_the_engine_is_redirected_is_refused_before_a_call(
    redirected: Redirected, pulumi: Pulumi, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    url, variables, config = redirected
    where = {"url": elsewhere.url, "host": elsewhere.url.removeprefix("http://")}
    declare_backend(pulumi, url)
    hermetic(pulumi, tmp_path, config.format(**where))
    workspace = "7c2e9a54-1f0b-4f7e-9a41-6f3a5d1c8b20"
    stack = {"lotus:production": "true", "airbyte:serverUrl": elsewhere.url, "lotus:workspaceId": workspace}
    (pulumi.project / "Pulumi.test.yaml").write_text(json.dumps({"config": stack}), encoding="utf-8")
    pulumi.environment |= {name: value.format(**where) for name, value in variables.items()}
    # Without the guard, the engine goes there.
    pulumi.run("stack", "ls").failed()
    assert elsewhere.calls != []
    elsewhere.calls.clear()

    refused = lotus(pulumi, "up", "--refresh", "--yes", "--skip-preview").failed()
    examined = json.loads(lotus(pulumi, "doctor", "--json").failed().stdout)

    assert refused.stderr.startswith("lotus: the stack test is marked lotus:production, and may not run like this\n  ")
    assert all(line.startswith("  ") for line in refused.stderr.splitlines()[1:])
    reported = [each for each in examined["findings"] if each["area"] == "backend" and each["state"] == "broken"]
    assert reported != []
    assert all(f"{each['what']}: {each['remedy']}" in refused.output for each in reported)
    assert elsewhere.calls == []


def test_the_address_in_the_backends_url_wins_over_every_other_setting(
    pulumi: Pulumi, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    with Elsewhere() as other:
        url = f"{S3}&endpoint={elsewhere.url.removeprefix('http://')}&disableSSL=true"
        declare_backend(pulumi, url)
        hermetic(pulumi, tmp_path, f"[default]\nendpoint_url = {other.url}\n")
        pulumi.environment |= {"AWS_ENDPOINT_URL_S3": other.url, "NO_PROXY": "127.0.0.1"}

        assert list(Backend(url, "Pulumi.yaml").diversions(pulumi.environment)) == []
        pulumi.run("stack", "ls").failed()

        assert elsewhere.calls != []


WAYS: Sequence[tuple[str, Mapping[str, str], Sequence[str]]] = [
    ("test", {}, ()),
    ("other", {"PULUMI_STACK": "test"}, ()),
    ("other", {"PULUMI_OPTION_STACK": "test"}, ()),
    ("other", {"PULUMI_STACK": "organization/test-project/test"}, ()),
    ("other", {}, ("--stack", "test")),
    ("other", {}, ("--stack=test",)),
    ("other", {}, ("-s", "test")),
    ("other", {}, ("-stest",)),
    ("other", {}, ("-s", "organization/test-project/test")),
    ("other", {}, ("--", "--stack", "test")),
    ("other", {}, ("--", "-ystest")),
    ("", {}, ()),
    ("other", {"PULUMI_STACK": ""}, ()),
]


def test_a_stack_is_guarded_however_it_is_named(lake: Lake) -> None:
    pulumi = lake.pulumi
    pulumi.config_set("lotus:production", "true")
    del pulumi.environment["PULUMI_STACK"]
    pulumi.run("stack", "init", "other").ok()
    project = Project.around(pulumi.project)
    assert project is not None
    lake.twin.clear_calls()
    plain = dict(pulumi.environment)

    for selected, variables, arguments in WAYS:
        pulumi.environment.clear()
        pulumi.environment |= plain
        pulumi.run("stack", "select", selected).ok() if selected else pulumi.run("stack", "unselect").ok()
        assert selected_stack(project, pulumi.environment).rpartition("/")[2] == selected
        pulumi.environment |= variables

        refused = lotus(pulumi, "up", "--refresh", "--yes", "--skip-preview", *arguments).failed()

        assert "the stack test is marked lotus:production" in refused.output, (selected, variables, arguments)
        assert refused.exit_code == 1
    assert lake.twin.calls() == []
    assert lake.pulumi.locks() == []
    # The other stack is not production.
    assert Engine(project, "other", plain).stack_name == "other"


def test_a_stack_that_is_selected_through_a_link_is_guarded(lake: Lake, tmp_path: Path) -> None:
    pulumi = lake.pulumi
    pulumi.config_set("lotus:production", "true")
    pulumi.run("stack", "init", "other").ok()
    del pulumi.environment["PULUMI_STACK"]
    link = tmp_path / "link"
    link.symlink_to(pulumi.project)
    pulumi.run("stack", "select", "other").ok()
    # The CLI keeps another selection for each name of the folder.
    pulumi.project, pulumi.environment["PWD"] = link, str(link)
    pulumi.run("stack", "select", "test").ok()
    lake.twin.clear_calls()

    refused = lotus(pulumi, "up", "--refresh", "--yes", "--skip-preview").failed()

    assert "the stack test is marked lotus:production" in refused.output
    assert lake.twin.calls() == []


VERBS: Sequence[Sequence[str]] = [
    ("up", "--yes", "--skip-preview"),
    ("deploy", "--yes"),
    ("preview",),
    ("drift",),
    ("sync", "--all"),
    ("discover", "shopify"),
    ("status",),
    ("audit",),
    ("migrate", "--from", "live"),
    ("doctor",),
    ("doctor", "--unlock", "--yes"),
]


def test_no_command_calls_a_server_for_a_stack_that_is_refused(lake: Lake) -> None:
    lake.pulumi.config_set("lotus:production", "true")
    before = sorted(path for path in lake.pulumi.project.rglob("*") if path.is_file())
    lake.twin.clear_calls()

    for verb in VERBS:
        refused = lotus(lake.pulumi, *verb).failed()

        assert refused.exit_code == 1, (verb, refused.output)
        assert "Pulumi.yaml names no backend" in refused.output, (verb, refused.output)
    # An estimate that fails does not stop the command, which changes files only.
    estimated = lotus(lake.pulumi, "backfill", "shopify", "orders", "--estimate", "--dry-run").ok()
    assert "The number of rows is unknown: the stack test is marked lotus:production" in estimated.output
    assert lake.twin.calls() == []
    assert lake.pulumi.locks() == []
    assert sorted(path for path in lake.pulumi.project.rglob("*") if path.is_file()) == before


@pytest.mark.parametrize("option", ["--config-file=other.yaml", "-C..", "-yC..", "--cwd=..", "--client=127.0.0.1:1"])
def test_an_option_that_runs_something_else_is_refused_for_production(pulumi: Pulumi, option: str) -> None:
    declare_backend(pulumi, S3)
    stack = {"lotus:production": "true", "airbyte:serverUrl": "https://airbyte.example.com/api/public/v1"}
    (pulumi.project / "Pulumi.test.yaml").write_text(json.dumps({"config": stack}), encoding="utf-8")

    refused = lotus(pulumi, "up", "--refresh", "--yes", "--skip-preview", option).failed()

    assert "redirects a run of production" in refused.output


PASSWORD = "pa55-of-the-test"


@pytest.mark.parametrize(
    "variables",
    [
        {"PULUMI_BACKEND_URL": S3 + "&endpoint=http://user:{password}@{host}"},
        {"PULUMI_BACKEND_URL": "azblob://lake-state?storage_account=lake&sas={password}"},
        {"AIRBYTE_SERVER_URL": "http://user:{password}@{host}/api/public/v1"},
        {"AIRBYTE_SERVER_URL": "http://{host}/api/public/v1?token={password}"},
        {"HTTP_PROXY": "http://user:{password}@{host}", "AIRBYTE_SERVER_URL": "http://airbyte.internal/api/public/v1"},
        {"AWS_ENDPOINT_URL_S3": "http://user:{password}@{host}"},
    ],
)
@pytest.mark.parametrize("production", [True, False])
def test_no_command_shows_credentials_in_a_url(
    pulumi: Pulumi, elsewhere: Elsewhere, tmp_path: Path, variables: Mapping[str, str], *, production: bool
) -> None:
    declare_backend(pulumi, S3)
    hermetic(pulumi, tmp_path, "")
    (pulumi.project / "streams").mkdir()
    stack = {"lotus:workspaceId": "7c2e9a54-1f0b-4f7e-9a41-6f3a5d1c8b20"} | (
        {"lotus:production": "true"} if production else {}
    )
    (pulumi.project / "Pulumi.test.yaml").write_text(json.dumps({"config": stack}), encoding="utf-8")
    where = {"host": elsewhere.url.removeprefix("http://"), "password": PASSWORD}
    pulumi.environment |= {name: value.format(**where) for name, value in variables.items()}

    for command in (("doctor",), ("doctor", "--json"), ("drift",), ("sync", "--all"), ("doctor", "--unlock", "--yes")):
        shown = lotus(pulumi, *command)

        assert PASSWORD not in shown.output, command
        assert "pa55" not in shown.output, command
