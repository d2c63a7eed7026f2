"""Where the engine's state and the stack's buckets are, once every setting outside of the project's files is applied.

The engine chooses the backend by Pulumi's rules, and its cloud SDK chooses the server by rules of its own: variables,
profiles, configuration files. This module reads the same places without calling anything, and yields each setting that
decides instead of the backend's URL. Where two SDKs read a place differently, both readings count.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

BACKEND_VARIABLE: Final = "PULUMI_BACKEND_URL"
SHARED: Final = frozenset({"s3", "gs", "azblob", "https"})
"""Schemes of backends that a team shares."""
Chooser = Literal["$PULUMI_BACKEND_URL", "Pulumi.yaml", "pulumi login", "nothing"]

STATE_SERVICES: Final = frozenset({"s3"})
"""The AWS services that an S3 backend calls."""
STACK_SERVICES: Final = frozenset({"s3", "s3_control", "iam", "sts"})
"""The AWS services that the provider of a landing zone on AWS calls."""
_IGNORED_ENDPOINTS: Final = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
_SERVICE_VARIABLE: Final = re.compile(r"AWS_ENDPOINT_URL_(\w+)|(?:TF_)?AWS_(?!ENDPOINT)(\w+?)_ENDPOINT")
"""Variables of one service: the first form is the SDKs', the second that of the Terraform provider below pulumi-aws."""
_AWS_ENDPOINT: Final = re.compile(r"(?:TF_)?AWS_\w*ENDPOINT\w*")
_HARMLESS_ENDPOINTS: Final = frozenset(
    {
        _IGNORED_ENDPOINTS,
        "AWS_ACCOUNT_ID_ENDPOINT_MODE",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "AWS_ENABLE_ENDPOINT_DISCOVERY",
        "AWS_ENDPOINT_DISCOVERY_ENABLED",
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_USE_FIPS_ENDPOINT",
    }
)
"""They select another address of AWS itself, or the source of credentials."""
_PROFILES: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
"""The Go SDK prefers the first one, botocore the second one."""
_AWS_FILES: Final = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
_GOOGLE_UNIVERSE: Final = "googleapis.com"
_GOOGLE_VARIABLE: Final = re.compile(r"STORAGE_EMULATOR_HOST\w*|GOOGLE_\w*(?:UNIVERSE|ENDPOINT)\w*|GCS_\w*ENDPOINT\w*")
_GOOGLE_HARMLESS: Final = frozenset({"GOOGLE_API_USE_MTLS_ENDPOINT"})
_CONNECTION_STRINGS: Final = ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGEBLOB_CONNECTIONSTRING")
_FALSE: Final = frozenset({"", "0", "f", "false"})
_AZURE_OPTIONS: Final = {
    "domain": ("AZURE_STORAGE_DOMAIN", frozenset({"", "blob.core.windows.net"})),
    "protocol": ("AZURE_STORAGE_PROTOCOL", frozenset({"", "https"})),
    "cdn": ("AZURE_STORAGE_IS_CDN", _FALSE),
    "localemu": ("AZURE_STORAGE_IS_LOCAL_EMULATOR", _FALSE),
}
"""The options of an `azblob` URL, each with the variable that stands in for it, and values that change nothing.

As gocloud.dev reads them (blob/azureblob).
"""


@dataclass(frozen=True, slots=True)
class Diversion:
    """A setting outside of the project's files that decides where requests go.

    Attributes:
        setting: The setting, such as `$AWS_ENDPOINT_URL`.
        address: Its value; empty if it has none, or a secret.
        remedy: What to do about it.
    """

    setting: str
    address: str
    remedy: str

    def describe(self, what: str) -> str:
        """The problem and its remedy, for requests that belong to another server.

        Args:
            what: What is sent there, such as `the backend s3://lake-state`.
        """
        sent = f"sends {what} to {self.address}" if self.address else f"may send {what} to another server"
        return f"{self.setting} {sent}: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Backend:
    """Where the engine keeps the state.

    Attributes:
        url: Its address; empty if none is configured.
        chosen_by: The setting that named it.
    """

    url: str
    chosen_by: Chooser

    @classmethod
    def chosen(cls, declared: str, environment: Mapping[str, str] = os.environ) -> "Backend":
        """Select the backend as the CLI does: the environment's, else the project's, else that of the last login.

        Seen on Pulumi 3.259 (tests/engine/test_state_guard.py).

        Args:
            declared: `backend.url` of `Pulumi.yaml`; empty where it has none.
            environment: The environment's variables.
        """
        if environment.get(BACKEND_VARIABLE):
            return cls(environment[BACKEND_VARIABLE], "$PULUMI_BACKEND_URL")
        if declared:
            return cls(declared, "Pulumi.yaml")
        logged_in = _logged_in(environment)
        return cls(logged_in, "pulumi login") if logged_in else cls("", "nothing")

    @property
    def scheme(self) -> str:
        """The URL's scheme: `s3`, `file`, `https`, …; empty without a backend."""
        return self.url.partition("://")[0].lower() if "://" in self.url else ""

    @property
    def is_shared(self) -> bool:
        """Whether a team shares it."""
        return self.scheme in SHARED

    @property
    def bucket(self) -> str:
        """The bucket's name, without credentials before it; empty for a backend that is no bucket."""
        return urlsplit(self.url).netloc.rpartition("@")[2] if self.scheme in {"s3", "gs", "azblob"} else ""

    @property
    def options(self) -> dict[str, str]:
        """The options in the URL's query; of a repeated one the first, as gocloud.dev reads them."""
        return {key: values[0] for key, values in parse_qs(urlsplit(self.url).query).items()}

    def diversions(self, environment: Mapping[str, str]) -> Iterator[Diversion]:
        """The settings outside of the URL that decide where the backend is; none if the URL alone decides."""
        if self.scheme == "s3":
            yield from self._s3_diversions(environment)
        elif self.scheme == "gs":
            yield from _google_diversions(environment)
        elif self.scheme == "azblob":
            yield from _azure_diversions(self.options, environment)
        elif self.scheme in {"http", "https"}:
            yield from self._service_diversions(environment)

    def _s3_diversions(self, environment: Mapping[str, str]) -> Iterator[Diversion]:
        options = self.options
        endpoint = options.get("endpoint", "")
        plain = options.get("disableSSL", options.get("disable_https", "")).lower() not in _FALSE
        address = endpoint or "amazonaws.com"
        yield from proxies(address if "://" in address else f"http{'' if plain else 's'}://{address}", environment)
        if endpoint:
            return
        pin = "or give backend.url an endpoint of its own"
        for each in aws_diversions(environment, STATE_SERVICES, options):
            yield Diversion(each.setting, each.address, f"{each.remedy}, {pin}")
        if not options.get("region"):
            # A bucket's name is unique in a partition only: another region can be in another one.
            yield Diversion("the environment's AWS region", "", "add ?region=<region> to backend.url")

    def _service_diversions(self, environment: Mapping[str, str]) -> Iterator[Diversion]:
        service = environment.get("PULUMI_API", "")
        if service and service.rstrip("/") != self.url.rstrip("/"):
            yield Diversion("$PULUMI_API", service, "unset PULUMI_API")
        organization = environment.get("PULUMI_DEFAULT_ORGANIZATION", "")
        if organization:
            remedy = "unset PULUMI_DEFAULT_ORGANIZATION, and name the stack in full: organization/project/stack"
            yield Diversion("$PULUMI_DEFAULT_ORGANIZATION", f"the organization {organization}", remedy)
        yield from proxies(self.url, environment)


def aws_diversions(
    environment: Mapping[str, str], services: frozenset[str], options: Mapping[str, str] | None = None
) -> Iterator[Diversion]:
    """The settings that send requests for AWS to another server.

    Args:
        environment: The environment's variables.
        services: The services that are called, such as `s3`.
        options: The options of a backend's URL, of which `profile` selects a profile.
    """
    ignored = environment.get(_IGNORED_ENDPOINTS, "").lower() == "true"
    for name, value in sorted(environment.items()):
        if value and _names_endpoint(name, services) and not (ignored and name.startswith("AWS_ENDPOINT_URL")):
            yield Diversion(f"${name}", value, f"unset {name}")
    if not ignored:
        yield from _profile_diversions(environment, services, options or {})


def _names_endpoint(variable: str, services: frozenset[str]) -> bool:
    """Whether a variable names the address of one of the services, or has a form that no SDK documents."""
    if variable in _HARMLESS_ENDPOINTS or not _AWS_ENDPOINT.fullmatch(variable):
        return False
    of_service = _SERVICE_VARIABLE.fullmatch(variable)
    if of_service is None:
        return True
    named = (of_service[1] or of_service[2]).lower()
    return named.replace("_", "") in {service.replace("_", "") for service in services}


def _profile_diversions(
    environment: Mapping[str, str], services: frozenset[str], options: Mapping[str, str]
) -> Iterator[Diversion]:
    named = [name for variable in _PROFILES if (name := environment.get(variable))] or ["default"]
    # With a role, the Go SDK loads its settings again, without the URL's profile.
    given = [options["profile"]] if options.get("profile") else []
    profiles = frozenset([*given, *named] if options.get("role") or not given else given)
    sections = dict[Path, dict[str, object]]()
    for variable, name in _AWS_FILES.items():
        file = home_path(environment, environment.get(variable) or f"~/.aws/{name}")
        try:
            sections[file] = _aws_sections(file)
        except ValueError:
            yield Diversion(f"{file}, which can't be read as an AWS configuration file,", "", f"correct {file}")
    of_services = set[str]()
    for file, found in sections.items():
        for section, values in found.items():
            if _profile_of(section) in profiles and isinstance(values, dict):
                of_services.add(str(values.get("services", "")))
                yield from _section_diversions(f"the profile {_profile_of(section)} in {file}", values, services)
    for file, found in sections.items():
        for section, values in found.items():
            kind, name = _kind_and_name(section)
            if kind == "services" and name in of_services and isinstance(values, dict):
                yield from _section_diversions(f"[{section}] in {file}", values, services)


def _section_diversions(where: str, values: Mapping[str, object], services: frozenset[str]) -> Iterator[Diversion]:
    """The addresses in a section: its own `endpoint_url`, and those of the services."""
    inner = [(f"{key}.", value) for key, value in values.items() if key in services and isinstance(value, dict)]
    for path, found in (("", values), *inner):
        address = found.get("endpoint_url")
        if address:
            remedy = "remove it, or select a profile without it (AWS_PROFILE)"
            yield Diversion(f"{path}endpoint_url of {where}", str(address), remedy)


def _profile_of(section: str) -> str:
    """The profile of a section of either AWS file; a name that only one of the files accepts counts in both."""
    kind, name = _kind_and_name(section)
    return name if kind == "profile" and name else section


def _kind_and_name(section: str) -> tuple[str, str]:
    """The two words of a section's head, between which the Go SDK accepts a tab as well."""
    kind, name = (*section.split(maxsplit=1), "", "")[:2]
    return kind, name.strip(" \t\"'")


def _aws_sections(file: Path) -> dict[str, object]:
    """The sections of an AWS configuration file; none if there is no file.

    Raises:
        ValueError: The SDKs can't read it either, or only some of them can.
    """
    # Loading takes 30 ms, and only production stacks and S3 backends need it.
    from botocore.configloader import raw_config_parse  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    if not file.exists():
        return {}
    try:
        return dict(raw_config_parse(str(file)))
    except (BotoCoreError, OSError) as error:
        raise ValueError(str(error)) from None


def _google_diversions(environment: Mapping[str, str]) -> Iterator[Diversion]:
    for name, value in sorted(environment.items()):
        if value and _GOOGLE_VARIABLE.fullmatch(name) and name not in _GOOGLE_HARMLESS and value != _GOOGLE_UNIVERSE:
            yield Diversion(f"${name}", value, f"unset {name}")


def _azure_diversions(options: Mapping[str, str], environment: Mapping[str, str]) -> Iterator[Diversion]:
    account = options.get("storage_account", "")
    if not account:
        remedy = "add ?storage_account=<account> to backend.url"
        yield Diversion("the environment's storage account", "", remedy)
    for option, (variable, harmless) in _AZURE_OPTIONS.items():
        value = environment.get(variable, "")
        if option not in options and value.lower() not in harmless:
            yield Diversion(f"${variable}", value, f"unset {variable}, or add {option}=<value> to backend.url")
    # Credentials of a connection string come with an address, for which gocloud.dev ignores the URL's options.
    for variable in _CONNECTION_STRINGS:
        if environment.get(variable) and not _connects_to(environment[variable], account, options):
            remedy = f"unset {variable}, and log in with `az login` or AZURE_STORAGE_KEY"
            yield Diversion(f"${variable}", "", remedy)


def _connects_to(connection_string: str, account: str, options: Mapping[str, str]) -> bool:
    """Whether a connection string has the address of the URL's account, and no other one."""
    pairs = dict(part.partition("=")[::2] for part in connection_string.split(";") if part)
    known = {"DefaultEndpointsProtocol", "AccountName", "AccountKey", "EndpointSuffix"}
    domain = f"blob.{pairs.get('EndpointSuffix', 'core.windows.net')}"
    return (
        pairs.keys() <= known
        and pairs.get("AccountName") == account
        and pairs.get("DefaultEndpointsProtocol", "https") == options.get("protocol", "https")
        and domain == options.get("domain", "blob.core.windows.net")
    )


def proxies(url: str, environment: Mapping[str, str]) -> Iterator[Diversion]:
    """The proxy that answers in place of a server without TLS. A proxy for `https` can't: it has no certificate."""
    parts = urlsplit(url)
    if parts.scheme != "http" or _bypasses(parts.hostname or "", environment):
        return
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        if environment.get(name):
            yield Diversion(f"${name}", environment[name], f"unset {name}, or add {parts.hostname} to NO_PROXY")


def _bypasses(host: str, environment: Mapping[str, str]) -> bool:
    """Whether every reading of `NO_PROXY` leaves a host out."""
    lists = [environment[name] for name in ("NO_PROXY", "no_proxy") if environment.get(name)]
    return bool(lists) and all(bool(proxy_bypass_environment(host, {"no": each})) for each in lists)


def pulumi_home(environment: Mapping[str, str]) -> Path:
    """The CLI's own folder."""
    return home_path(environment, environment.get("PULUMI_HOME") or "~/.pulumi")


def home_path(environment: Mapping[str, str], path: str) -> Path:
    """A path, in which `~` is the home folder."""
    if path.startswith("~/") and environment.get("HOME"):
        return Path(environment["HOME"]) / path.removeprefix("~/")
    return Path(path).expanduser()


def _logged_in(environment: Mapping[str, str]) -> str:
    """The backend of the last `pulumi login`, from the CLI's credentials.json."""
    credentials = environment.get("PULUMI_CREDENTIALS_PATH")
    folder = Path(credentials) if credentials else pulumi_home(environment)
    try:
        noted = json.loads((folder / "credentials.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    current = noted.get("current") if isinstance(noted, dict) else None
    return current if isinstance(current, str) else ""
