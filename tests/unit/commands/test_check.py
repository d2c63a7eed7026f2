"""What `lotus check` reports about the stacks of a project, with the other problems in one report."""

from pathlib import Path

import pytest

from lotus_infra.commands.check import check_lake_files
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import LocatedDiagnostic
from tests.support.lakes import Document, clean_files, destination, source, write

PROJECT = "name: lotus\nruntime: python\n"
FULL = "config:\n  lotus:landing_bucket: landing\n  lotus:s3_secret_access_key:\n    secure: v1:abc\n"
ONE = "11111111-1111-1111-1111-111111111111"


def project(directory: Path, **stacks: str) -> Path:
    """A Pulumi project around a clean lake; returns the lake's folder."""
    (directory / "Pulumi.yaml").write_text(PROJECT)
    for stack, content in stacks.items():
        (directory / f"Pulumi.{stack}.yaml").write_text(content)
    return write(directory / "data" / "streams", clean_files())


def problems(lake: Path, *stacks: str) -> list[str]:
    """Every problem as `file:line: field: what: remedy`, the file without its folder."""
    found = check_lake_files(lake, stacks).problems
    return [str(LocatedDiagnostic(Path(p.file).name, p.line, p.field, p.what, p.remedy)) for p in found]


def of_stack(tmp_path: Path, *lines: str) -> list[str]:
    """The problems of a complete stack with further lines below `config:`."""
    return problems(project(tmp_path, prod=FULL + "".join(f"  {line}\n" for line in lines)))


def test_a_value_that_a_stack_lacks_is_a_problem_of_the_lake(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=FULL, dev="config:\n  lotus:landing_bucket: x\n  aws:region: y\n")

    assert [(problem.field, problem.what) for problem in check_lake_files(lake).problems] == [
        ("configuration.secret_access_key", 'the secret "s3_secret_access_key" is not set in the stack dev')
    ]
    for stacks in (["prod"], ["prod", "organization/lotus/prod"]):
        assert check_lake_files(lake, stacks).problems == ()


def test_a_lake_outside_any_project_has_no_stacks(tmp_path: Path) -> None:
    assert check_lake_files(write(tmp_path, clean_files())).problems == ()


def test_a_stack_of_no_project_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LotusError, match=r"no Pulumi\.yaml at or above"):
        check_lake_files(write(tmp_path, clean_files()), ["prod"])


def test_an_unknown_stack_is_reported_with_the_known_ones(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=FULL)

    with pytest.raises(LotusError, match=r"the stack staging has no file Pulumi\.staging\.yaml: known stacks are prod"):
        check_lake_files(lake, ["staging"])


@pytest.mark.parametrize("content", [b"config: [", b"\xff\xfe", b"config:\n  a: *nobody\n", b"- 1\n", b"a: b\n--- 1\n"])
def test_a_stack_file_that_is_no_object_of_yaml_is_the_only_problem_of_it(content: bytes, tmp_path: Path) -> None:
    lake = project(tmp_path)
    (tmp_path / "Pulumi.prod.yaml").write_bytes(content)

    [problem] = problems(lake)

    assert problem.startswith("Pulumi.prod.yaml:")
    assert "nobody" not in problem


@pytest.mark.parametrize("content", ["", "config:\n", "config: {}\n", "# nothing\n"])
def test_a_stack_file_without_settings_lacks_the_lakes_values(content: str, tmp_path: Path) -> None:
    assert len(problems(project(tmp_path, prod=content))) == 2


MISTAKES = [
    # The fixed keys, misspelt and of other types.
    ('lotus:prodution: "true"', "lotus:prodution: ", 'did you mean "production"?'),
    ('lotus:protectSource: "true"', "lotus:protectSource: ", 'did you mean "protectSources"?'),
    ("lotus:foo: bar", "lotus:foo: ", "delete it, or refer to it"),
    ("lotus:region: us-west-1", "lotus:region: ", "write it below lotus:landingZone"),
    ("lotus:config:production: true", "lotus:config:production: ", "neither a setting of Lotus"),
    ("lotus:landingZone.region: x", "lotus:landingZone.region: ", "neither a setting of Lotus"),
    ("lotus:landing_buket: x", "lotus:landing_buket: ", 'did you mean "landing_bucket"?'),
    ("lotus:protectSources: ja", "lotus:protectSources: ", "write true or false"),
    ('lotus:protectSources: "True"', "lotus:protectSources: ", "write true or false"),
    ("lotus:production: yes", "lotus:production: ", "write true or false"),
    ("lotus:production: 1", "lotus:production: ", "write true or false"),
    ("lotus:production:", "lotus:production: ", "is empty: write a value, or delete it"),
    ("lotus:workspaceId: nonsense", "lotus:workspaceId: ", "is not an id"),
    ("lotus:streams: [a]", "lotus:streams: ", "it should be a valid string"),
    ("lotus:acknowledge: source a", "lotus:acknowledge: ", "is not a list"),
    ("lotus:acknowledge: [orders]", "lotus:acknowledge[0]: ", "write a kind and a name"),
    (
        "lotus:workspaceId: {secure: v1:x}",
        "lotus:workspaceId: ",
        "`pulumi config set --plaintext lotus:workspaceId <value>`",
    ),
    ("lotus:landing_bucket: a", "lotus:landing_bucket: ", "is a duplicate key"),
    ("lotus:dagster_db_password: hunter2", "lotus:dagster_db_password: ", "fewer than 16 characters"),
    # Objects.
    ("lotus:landingZone: {server: aws, regionn: x}", "lotus:landingZone.regionn: ", 'did you mean "region"?'),
    ('lotus:landingZone: \'{"server": "aws", "regionn": 1}\'', "lotus:landingZone.regionn: ", 'did you mean "region"?'),
    ("lotus:landingZone: '{'", "lotus:landingZone: ", "is not an object"),
    ("lotus:landingZone: {server: {secure: v1:x}}", "lotus:landingZone.server: ", "is encrypted"),
    ("lotus:dagster: {deploy: false, imge: x}", "lotus:dagster.imge: ", 'did you mean "image"?'),
    ("lotus:dagster: {deploy: false, runs: {atOnce: many}}", "lotus:dagster.runs.atOnce: ", "valid integer"),
    ("lotus:dagster: {deploy: nein}", "lotus:dagster.deploy: ", "write true or false"),
    (
        "lotus:dagster: {deploy: false, runs: {env: {TOKEN: {secure: v1:x}}}}",
        "lotus:dagster.runs.env.TOKEN: ",
        "put it into a Kubernetes secret, and name that in envSecrets",
    ),
    # Other namespaces.
    ('lotsu:production: "true"', "lotsu:production: ", 'did you mean "lotus"?'),
    ("production: true", "production: ", "write lotus:production"),
    ("airbyte:serverURL: https://a", "airbyte:serverURL: ", 'did you mean "serverUrl"?'),
    ("airbyte:serverUrl: airbyte", "airbyte:serverUrl: ", "is not an address"),
    ("airbyte:adoptExisting: always", "airbyte:adoptExisting: ", "'never' or 'identical'"),
    ("airbyte:clientSecrett: {secure: v1:x}", "airbyte:clientSecrett: ", 'did you mean "clientSecret"?'),
    ("aws:regoin: x", "aws:regoin: ", 'did you mean "region"?'),
    ("aws:s3UsePathStyle: ja", "aws:s3UsePathStyle: ", "write true or false"),
    ("kubernetes:contex: x", "kubernetes:contex: ", 'did you mean "context"?'),
    ("pulumi:tag: {}", "pulumi:tag: ", 'did you mean "tags"?'),
]


@pytest.mark.parametrize(("line", "field", "words"), MISTAKES, ids=[line for line, _, _ in MISTAKES])
def test_a_mistake_in_a_stacks_file_is_reported_with_file_line_key_and_remedy(
    tmp_path: Path, line: str, field: str, words: str
) -> None:
    found = [each for each in of_stack(tmp_path, line) if each.startswith(f"Pulumi.prod.yaml:5: {field}")]

    assert len(found) == 1, of_stack(tmp_path, line)
    assert words in found[0]


@pytest.mark.parametrize(
    "line",
    [
        "lotus:production: true",
        'lotus:production: "false"',
        f"lotus:workspaceId: {ONE}",
        "lotus:acknowledge: [source klaviyo, stream shopify/orders]",
        "lotus:acknowledge: '[\"source klaviyo\"]'",
        "lotus:dagster: {deploy: false, image: later, ingress: {tls: true}, chart: {version: newest}}",
        "lotus:landingZone: {server: aws, region: eu, landing: 2024, backup: 2025, keys: [1], expireRawDays: '30'}",
        'lotus:landingZone: \'{"server": "aws", "region": "eu", "landing": "one", "backup": "two"}\'',
        "aws:defaultTags: {tags: {team: data}}",
        "aws:skipCredentialsValidation: true",
        "kubernetes:context: lake",
        "pulumi:tags: {team: data}",
        "airbyte:serverUrl: {secure: v1:x}",
        "airbyte:clientSecret: {secure: v1:x}",
    ],
)
def test_a_valid_key_is_no_problem_in_any_form_that_pulumi_config_set_writes(tmp_path: Path, line: str) -> None:
    assert of_stack(tmp_path, line) == []


def test_keys_of_the_root_are_checked_too(tmp_path: Path) -> None:
    content = "encryptionsalt: [1]\nlotus:production: true\nconfg: {}\nencryptedkey: a\nsecretsprovider: b\n"

    sealed = "environment: brings values that no file has, so that no command of Lotus can check them"
    assert problems(project(tmp_path, prod=f"{content}environment: [a]\n{FULL}")) == [
        "Pulumi.prod.yaml:1: encryptionsalt: is not a text: restore it from version control",
        'Pulumi.prod.yaml:2: lotus:production: unknown key: write it below "config", indented',
        'Pulumi.prod.yaml:3: confg: unknown key: did you mean "config"?',
        f"Pulumi.prod.yaml:6: {sealed}: write them below config, and delete the key",
    ]


def test_all_stacks_and_the_lake_are_in_one_sorted_report(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=f"{FULL}  lotus:prodution: true\n", dev=f"{FULL}  lotus:b: x\n  lotus:a: x\n")
    (lake / "shop" / "orders.json").write_text("{")

    found = [each.partition(": ")[0] for each in problems(lake)]

    assert found == ["Pulumi.dev.yaml:5", "Pulumi.dev.yaml:6", "Pulumi.prod.yaml:5", "orders.json:1"]


def test_a_source_whose_file_cannot_be_read_makes_no_value_superfluous(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=f"{FULL}  lotus:shop_key: x\n  lotus:prodution: true\n")
    (lake / "shop" / "_source.json").write_text("{")

    assert [each.split(": ")[1] for each in problems(lake) if each.startswith("Pulumi")] == ["lotus:prodution"]


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ("lotus:production: true", []),
        ("production: true", []),
        ("production: {type: boolean, default: true}", []),
        ("production: {type: boolean}", []),
        ("lotus:production: {value: true, description: the guard}", []),
        ("lotus:production: ja", ["4: lotus:production: is neither true nor false: write true or false"]),
        ("prodution: {default: true}", ["4: lotus:prodution: is neither a setting of Lotus nor a name that a file"]),
        ("production: {valeu: true}", ["4: production.valeu: unknown key in Pulumi.yaml: did you mean"]),
        ("landingZone: {server: aws}", ["4: landingZone.server: unknown key in Pulumi.yaml: write the whole object"]),
        ("aws:region: {default: x}", ["4: aws:region: has no value", "4: aws:region.default: is only for keys of"]),
        ("production: {default: true, value: true}", ['4: production.default: stands beside "value"']),
        ("aws:region: x", []),
        ("lake:production: true", ['4: lake:production: unknown namespace "lake"']),
    ],
)
def test_values_that_the_project_sets_for_all_stacks_are_checked(
    tmp_path: Path, config: str, wanted: list[str]
) -> None:
    lake = project(tmp_path, prod=FULL)
    (tmp_path / "Pulumi.yaml").write_text(f"{PROJECT}config:\n  {config}\n")

    found = problems(lake)

    assert len(found) == len(wanted)
    assert all(each.startswith(f"Pulumi.yaml:{start}") for each, start in zip(found, wanted, strict=True)), found


def test_the_backend_of_the_project_has_an_address_alone(tmp_path: Path) -> None:
    lake = project(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text(f"{PROJECT}backend:\n  uri: s3://state\n")

    assert problems(lake) == ['Pulumi.yaml:4: backend.uri: unknown key: the only known key is "url"']


@pytest.mark.parametrize("line", ["stackConfigDir: stacks", "config: stacks"])
def test_stack_files_in_another_folder_are_refused(tmp_path: Path, line: str) -> None:
    lake = project(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text(f"{PROJECT}{line}\n")

    [problem] = problems(lake)

    assert problem.startswith(f"Pulumi.yaml:3: {line.partition(':')[0]}: moves the stacks' files to another folder")


def lake_with_key(tmp_path: Path, reference: Document, **stack: str) -> list[str]:
    """The problems of a lake whose source has a key that is a secret, and one that is not."""
    lake = project(tmp_path, **stack)
    properties = {"api_key": {"type": "string", "airbyte_secret": True}, "shop": {"type": "string"}}
    spec = {"type": "object", "required": [], "properties": properties}
    connector: Document = {
        "connector": "source-shop",
        "definition_id": "22222222-2222-2222-2222-222222222222",
        "version": "1.0.0",
        "spec": spec,
    }
    write(lake, {"_connectors/source-shop.json": connector})
    write(lake, {"shop/_source.json": source(connector="source-shop", configuration=reference)})
    return [each.partition(": ")[2] for each in problems(lake) if "airbyte-twin" not in each]


SEALED = f"{FULL}  lotus:key: {{secure: v1:x}}\n"


def test_an_encrypted_value_is_refused_where_the_reference_is_plain(tmp_path: Path) -> None:
    [problem] = lake_with_key(tmp_path, {"shop": {"$config": "key"}}, prod=SEALED)

    assert problem == (
        'configuration.shop: "key" is encrypted in the stack prod, and would be readable in Airbyte: write '
        '{"$secret": "key"} if the key is a secret; run `pulumi config set --plaintext --stack prod lotus:key` if the '
        "value is none"
    )


def test_a_secret_is_refused_where_the_specification_has_none(tmp_path: Path) -> None:
    for stack in (SEALED, f"{FULL}  lotus:key: plain\n"):
        [problem] = lake_with_key(tmp_path, {"shop": {"$secret": "key"}}, prod=stack)

        assert problem.startswith(
            "configuration.shop: is not a secret by the connector's specification, so Airbyte would show the value"
        )


def test_a_secret_is_accepted_where_the_specification_has_one(tmp_path: Path) -> None:
    assert lake_with_key(tmp_path, {"api_key": {"$secret": "key"}}, prod=SEALED) == []


def test_invalid_dagster_settings_are_reported_with_the_line_for_every_stack(tmp_path: Path) -> None:
    zone = "  lotus:landingZone: {server: aws, region: eu, landing: one, backup: two}\n"
    passwords = "".join(f"  lotus:{name}_db_password: {{secure: v1:x}}\n" for name in ("dagster", "ducklake"))
    wrong = "  lotus:dagster: {deploy: true, chart: {version: 1.13.27}, image: 'a/b:latest'}\n"
    right = """  lotus:dagster:
    deploy: true
    chart: {version: 1.13.27}
    image: a/b:1.13.27
    extraValues:
      ingress:
        webserver: {}
"""
    lake = project(tmp_path, dev=f"{FULL}{wrong}", prod=f"{FULL}{zone}{passwords}{right}")

    dev, prod = problems(lake)

    assert dev.startswith('Pulumi.dev.yaml:5: lotus:dagster.image: the tag "latest"')
    assert prod == (
        "Pulumi.prod.yaml:14: lotus:dagster.extraValues.ingress.webserver: unknown key of the chart:"
        ' did you mean "dagsterWebserver"?'
    )


def test_what_a_setting_requires_is_reported_with_it(tmp_path: Path) -> None:
    dagster = "lotus:dagster: {deploy: true, chart: {version: 1.13.27}, image: 'a/b:1.13.27'}"
    zone = "lotus:landingZone: {server: s3, region: eu, landing: one, backup: two}"

    assert [each.split(": ")[1] for each in of_stack(tmp_path, dagster)] == [
        "lotus:dagster_db_password",
        "lotus:ducklake_db_password",
        "lotus:dagster",
    ]
    reader = "lotus:s3_reader_access_key_id: {secure: v1:x}"
    assert [each.split(": ")[1] for each in of_stack(tmp_path, zone, reader)] == [
        "lotus:s3_access_key_id",
        "lotus:s3_reader_secret_access_key",
    ]


def test_two_stacks_of_one_workspace_are_a_problem_that_names_both_files(tmp_path: Path) -> None:
    workspace = f"lotus:workspaceId: {ONE}\n"
    rest = FULL.removeprefix("config:\n")
    dev, prod = (
        f"config:\n  airbyte:serverUrl: {url}\n  {workspace}{rest}" for url in ("http://A:80/v1", "http://a/v1/")
    )
    lake = project(tmp_path, dev=dev, prod=prod)

    for stacks in ([], ["dev"]):
        [problem] = check_lake_files(lake, stacks).problems
        assert (Path(problem.file).name, problem.line) == ("Pulumi.prod.yaml", 3)
        assert problem.what == (
            "names the same Airbyte workspace as Pulumi.dev.yaml, the workspace 11111111-1111-1111-1111-111111111111 "
            "of http://a/v1"
        )
        assert "pulumi config set --stack prod lotus:workspaceId <id>" in problem.remedy


def test_a_destination_that_no_source_uses_refers_to_values_too(tmp_path: Path) -> None:
    lake = project(tmp_path, prod=f"{FULL}  lotus:archive_bucket: a\n")
    clean = destination()["configuration"]
    assert isinstance(clean, dict)
    configuration = clean | {"s3_bucket_name": {"$config": "archive_bucket"}}
    write(lake, {"_destinations/archive.json": destination(configuration=configuration)})

    assert problems(lake) == []
