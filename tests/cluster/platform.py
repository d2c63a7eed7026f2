"""What the administrator of a cluster has installed before a stack: classes, cert-manager, and the running operators.

The operators' deployments run nothing: `operators` does their work. They are what `lotus doctor` looks for.
"""

from typing import Any, Final

from kubernetes import client, utils

from tests.cluster.definitions import open_definition, wait_until_served

OPERATORS: Final = {
    "cnpg-controller-manager": ("cnpg-system", "ghcr.io/cloudnative-pg/cloudnative-pg:1.30.0"),
    "barman-cloud": ("cnpg-system", "ghcr.io/cloudnative-pg/plugin-barman-cloud:v0.14.0"),
    "cert-manager": ("cert-manager", "quay.io/jetstack/cert-manager-controller:v1.18.2"),
}
CERT_MANAGER: Final = "cert-manager.io"
Document = dict[str, Any]


def install(api: client.ApiClient) -> None:
    """Install everything, and wait until the server serves cert-manager's kinds."""
    extensions = client.ApiextensionsV1Api(api)
    extensions.create_custom_resource_definition(
        open_definition(CERT_MANAGER, "ClusterIssuer", "clusterissuers", scope="Cluster")
    )
    wait_until_served(extensions, f"clusterissuers.{CERT_MANAGER}")
    for document in (*_classes(), *_namespaces(), *(_deployment(name) for name in OPERATORS)):
        utils.create_from_dict(api, document)
    _issuer(api, "letsencrypt-prod")


def _classes() -> list[Document]:
    default = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    storage = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.com/disk"}
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass"}
    return [
        {**storage, "metadata": {"name": "standard", **default}},
        {**ingress, "metadata": {"name": "traefik"}, "spec": {"controller": "traefik.io/ingress-controller"}},
    ]


def _namespaces() -> list[Document]:
    names = sorted({namespace for namespace, _ in OPERATORS.values()})
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]


def _deployment(name: str) -> Document:
    namespace, image = OPERATORS[name]
    labels = {"app": name}
    container = {"name": "manager", "image": image}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def _issuer(api: client.ApiClient, name: str) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True", "reason": "ACMEAccountRegistered"}]}
    custom = client.CustomObjectsApi(api)
    place = (CERT_MANAGER, "v1", "clusterissuers")
    custom.create_cluster_custom_object(
        *place, {"apiVersion": f"{CERT_MANAGER}/v1", "kind": "ClusterIssuer", "metadata": {"name": name}, "spec": {}}
    )
    custom.patch_cluster_custom_object_status(*place, name, {"status": ready})
