"""Reports pods as a node would: they run, wait for an image or a secret, or have ended. No container is started.

The real controllers make and delete the pods; they only need to see a status. Each round reads everything and writes
what differs, so a server that was down or a pod that was missed does no harm.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.cluster.network import Network

ROUND_SECONDS: Final = 0.1
Document = dict[str, Any]


class Kubelet:
    """The one node.

    Attributes:
        missing: Images that no registry has.
        private: The user and the password of registries that ask for them, by host.
    """

    def __init__(self, api: client.ApiClient, network: Network) -> None:
        self._core, self._network = client.CoreV1Api(api), network
        self.missing: set[str] = set()
        self.private: dict[str, tuple[str, str]] = {}

    def round(self) -> None:
        """Bring the status of every pod up to date that has not started: one that runs goes on, as on a real node."""
        for pod in self._core.list_pod_for_all_namespaces(field_selector="status.phase=Pending").items:
            if pod.metadata.deletion_timestamp is None:
                self._report(pod)

    def _report(self, pod: Any) -> None:
        waiting = self._obstacle(pod)
        status = _waits(pod, *waiting) if waiting is not None else _ended(pod) if _is_of_job(pod) else _runs(pod)
        if not _is_reported(pod, status):
            address = self._network.address(pod.metadata.namespace, pod.metadata.name)
            status |= {"podIP": address, "podIPs": [{"ip": address}]}
            try:
                self._core.patch_namespaced_pod_status(
                    pod.metadata.name, pod.metadata.namespace, {"status": status}, field_manager="kubelet"
                )
            except ApiException as error:
                if error.status not in (404, 409):
                    raise

    def _obstacle(self, pod: Any) -> tuple[str, str] | None:
        """Why the pod's containers don't start: a reason and a message, as a kubelet words them."""
        for container in pod.spec.containers:
            if container.image in self.missing or not self._may_pull(pod, container.image):
                return "ImagePullBackOff", f'Back-off pulling image "{container.image}"'
            missing = self._missing_reference(pod.metadata.namespace, container)
            if missing is not None:
                return "CreateContainerConfigError", missing
        return None

    def _may_pull(self, pod: Any, image: str) -> bool:
        host = image.partition("/")[0]
        if host not in self.private:
            return True
        return any(
            self._opens(pod.metadata.namespace, reference.name, host) for reference in pod.spec.image_pull_secrets or []
        )

    def _opens(self, namespace: str, secret: str, host: str) -> bool:
        data = self._secret(namespace, secret)
        if data is None or ".dockerconfigjson" not in data:
            return False
        known = json.loads(base64.b64decode(data[".dockerconfigjson"]))["auths"].get(host, {})
        user, password = self.private[host]
        both = base64.b64encode(f"{user}:{password}".encode()).decode()
        return known.get("auth") == both or (known.get("username"), known.get("password")) == (user, password)

    def _missing_reference(self, namespace: str, container: Any) -> str | None:
        """The message about a secret or a config map that the container's environment needs."""
        sources = [each for each in container.env_from or [] if each.secret_ref and not each.secret_ref.optional]
        for source in sources:
            if self._secret(namespace, source.secret_ref.name) is None:
                return f'secret "{source.secret_ref.name}" not found'
        for variable in container.env or []:
            key = variable.value_from.secret_key_ref if variable.value_from is not None else None
            if key is None or key.optional:
                continue
            data = self._secret(namespace, key.name)
            if data is None:
                return f'secret "{key.name}" not found'
            if key.key not in data:
                return f"couldn't find key {key.key} in Secret {namespace}/{key.name}"
        return None

    def _secret(self, namespace: str, name: str) -> dict[str, str] | None:
        try:
            return dict(self._core.read_namespaced_secret(name, namespace).data or {})
        except ApiException as error:
            if error.status != 404:
                raise
            return None


def _is_of_job(pod: Any) -> bool:
    return any(owner.kind == "Job" for owner in pod.metadata.owner_references or [])


def _is_reported(pod: Any, status: Document) -> bool:
    known = {each.name: each for each in pod.status.container_statuses or []}
    return pod.status.phase == status["phase"] and all(
        each["name"] in known
        and known[each["name"]].ready == each["ready"]
        and known[each["name"]].image == each["image"]
        and _reason(known[each["name"]]) == each["state"].get("waiting", {}).get("reason")
        for each in status["containerStatuses"]
    )


def _reason(status: Any) -> str | None:
    waiting = status.state.waiting if status.state is not None else None
    return waiting.reason if waiting is not None else None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _runs(pod: Any) -> Document:
    return _status(pod, "Running", ready=True, state={"running": {"startedAt": _now()}})


def _ended(pod: Any) -> Document:
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": _now(), "finishedAt": _now()}
    return _status(pod, "Succeeded", ready=False, state={"terminated": ended})


def _waits(pod: Any, reason: str, message: str) -> Document:
    return _status(pod, "Pending", ready=False, state={"waiting": {"reason": reason, "message": message}})


def _status(pod: Any, phase: str, *, ready: bool, state: Document) -> Document:
    kinds = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready, "Ready": ready}
    conditions = [{"type": kind, "status": str(is_so), "lastTransitionTime": _now()} for kind, is_so in kinds.items()]
    containers = [
        {
            "name": each.name,
            "image": each.image,
            "imageID": image_id(each.image) if "waiting" not in state else "",
            "ready": ready,
            "restartCount": 0,
            "state": state,
        }
        for each in pod.spec.containers
    ]
    return {"phase": phase, "conditions": conditions, "containerStatuses": containers, "startTime": _now()}


def image_id(image: str) -> str:
    """The id of an image on the node: its own digest, or one that follows from its name."""
    name, _, digest = image.partition("@")
    return f"{name}@{digest or 'sha256:' + hashlib.sha256(image.encode()).hexdigest()}"


@contextmanager
def repeated(name: str, action: Any) -> Iterator[None]:
    """Repeat an action in a thread until the context ends; a server that does not answer is tried again."""
    ended = threading.Event()

    def rounds() -> None:
        while not ended.wait(ROUND_SECONDS):
            try:
                action()
            except (ApiException, urllib3.exceptions.HTTPError, OSError):
                continue

    thread = threading.Thread(target=rounds, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
