"""The configuration of the providers and of the engine in a stack: `airbyte:`, `aws:`, `kubernetes:` and `pulumi:`.

Facts about packages that a check must not import: they are slow to load, and call servers. A test compares the names
with those of the packages.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, JsonValue, SecretStr, create_model

from lotus_infra.config.section import Flag, Name, Section, Whole, matching

Url: TypeAlias = Annotated[
    str, matching(r"\s*[Hh][Tt][Tt][Pp][Ss]?://[^\s/]\S*\s*", "is not an address: write one that starts with https://")
]


class AirbyteKeys(Section):
    """How the provider reaches Airbyte, as far as the stack says it in plain text; the environment may have the rest.

    Attributes:
        server_url: The public API.
        config_url: The Config API.
        client_id: An application's id.
        client_secret: The application's secret.
        token_url: Where tokens are issued.
        username: For HTTP Basic.
        password: For HTTP Basic.
        bearer_auth: A ready token.
        adopt_existing: Whether a create adopts an identical object.
    """

    server_url: Url | None = None
    config_url: Url | None = None
    client_id: Name | None = None
    client_secret: SecretStr | None = None
    token_url: Url | None = None
    username: Name | None = None
    password: SecretStr | None = None
    bearer_auth: SecretStr | None = None
    adopt_existing: Literal["never", "identical"] | None = None


_TYPES: Final[dict[str, Any]] = {"text": Name, "secret": SecretStr, "flag": Flag, "number": Whole, "object": JsonValue}
_AWS: Final = {
    "text": """accessKey customCaBundle ec2MetadataServiceEndpoint ec2MetadataServiceEndpointMode httpProxy httpsProxy
        noProxy profile region retryMode s3UsEast1RegionalEndpoint stsRegion tagPolicyCompliance""",
    "secret": "secretKey token",
    "flag": """insecure s3UsePathStyle skipCredentialsValidation skipMetadataApiCheck skipRegionValidation
        skipRequestingAccountId useDualstackEndpoint useFipsEndpoint""",
    "number": "maxRetries tokenBucketRateLimiterCapacity",
    "object": """allowedAccountIds assumeRoleWithWebIdentity assumeRoles defaultTags endpoints forbiddenAccountIds
        ignoreTags sharedConfigFiles sharedCredentialsFiles userAgents""",
}
_KUBERNETES: Final = {
    "text": "cluster clusterIdentifier context kubeconfig namespace renderYamlToDirectory",
    "flag": """alwaysRender deleteUnreachable enableConfigMapMutable enablePatchForce enableSecretMutable
        enableServerSideApply skipUpdateUnreachable suppressDeprecationWarnings suppressHelmHookWarnings
        upsertExistingObjects""",
    "object": "helmReleaseSettings kubeClientSettings",
}
_PULUMI: Final = {"object": "autonaming disable-default-providers tags template"}


def _section(name: str, keys: dict[str, str]) -> type[Section]:
    """A section of optional keys."""
    fields: dict[str, Any] = {
        f"key_{number}": (_TYPES[kind] | None, Field(default=None, alias=key))
        for number, (kind, key) in enumerate((kind, key) for kind, listed in keys.items() for key in listed.split())
    }
    return create_model(name, __base__=Section, **fields)


AwsKeys: Final = _section("AwsKeys", _AWS)
KubernetesKeys: Final = _section("KubernetesKeys", _KUBERNETES)
PulumiKeys: Final = _section("PulumiKeys", _PULUMI)
