"""A real Kubernetes API server on loopback, with its store and its controllers: three processes, gone at the end.

It has no node: `kubelet` reports pods as running, and `operators` does what CloudNativePG's operator does.
"""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from kubernetes import client, config

from lotus_infra.errors import LotusError
from sandbox.process import LOOPBACK, free_port
from tests.cluster.network import write_egress
from toolchain.cluster import ClusterPrograms

TOKEN: Final = "the-administrator"
"""The token of the kubeconfig's user, who may do everything."""
CONTEXT: Final = "here"
LISTENING: Final = range(20_000, 30_000)
START_SECONDS: Final = 60
STOP_SECONDS: Final = 20
ENDS_WITH_PARENT: Final = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"
"""Has the kernel kill the program that it becomes when the tests end, however they end (PR_SET_PDEATHSIG)."""


class ApiServer:
    """The three processes.

    Attributes:
        folder: Its files.
        url: The API server's address; the same after a restart.
        kubeconfig: A file with the one context `here`.
    """

    def __init__(self, folder: Path, programs: ClusterPrograms) -> None:
        self.folder, self._servers = folder, programs.servers
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._port, etcd, peers = _free_ports(3)
        self._etcd, self._peers = f"http://{LOOPBACK}:{etcd}", f"http://{LOOPBACK}:{peers}"
        self.url = f"https://{LOOPBACK}:{self._port}"
        self.kubeconfig = self._write_kubeconfig()

    def start(self) -> None:
        """Start all three, and wait until the API server is ready.

        Raises:
            RuntimeError: One ended; the message has its log.
        """
        self._write_keys()
        self._start("etcd", self._etcd_arguments())
        self.start_api()
        self._start("kube-controller-manager", self._controller_arguments())

    def start_api(self) -> None:
        """Start the API server alone, after `stop_api`."""
        self._start("kube-apiserver", self._api_arguments())
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._require_running()
            if self._is_ready():
                return
            time.sleep(0.1)
        raise RuntimeError(f"the API server is not ready after {START_SECONDS} s:\n{self._log('kube-apiserver')}")

    def stop_api(self) -> None:
        """Kill the API server; what it has stored stays."""
        self._stop("kube-apiserver", signal.SIGKILL)

    def stop(self) -> None:
        """End all processes."""
        for name in reversed([*self._processes]):
            self._stop(name, signal.SIGKILL)

    def client(self) -> client.ApiClient:
        """A client with the administrator's token."""
        settings = client.Configuration()
        config.load_kube_config(str(self.kubeconfig), CONTEXT, settings)
        return client.ApiClient(settings)

    def _start(self, name: str, arguments: dict[str, str]) -> None:
        program = [str(self._servers / name), *(f"--{key}={value}" for key, value in arguments.items())]
        command = [sys.executable, "-c", ENDS_WITH_PARENT, *program] if sys.platform == "linux" else program
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _stop(self, name: str, how: signal.Signals) -> None:
        process = self._processes.pop(name)
        process.send_signal(how)
        process.wait(STOP_SECONDS)

    def _require_running(self) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with exit code {process.returncode}:\n{self._log(name)}")

    def _is_ready(self) -> bool:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        try:
            # The certificate is made by the server itself, at its start.
            return httpx.get(f"{self.url}/readyz", headers=headers, verify=False, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def _log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def _etcd_arguments(self) -> dict[str, str]:
        return {
            "data-dir": str(self.folder / "etcd"),
            "listen-client-urls": self._etcd,
            "advertise-client-urls": self._etcd,
            "listen-peer-urls": self._peers,
            "initial-advertise-peer-urls": self._peers,
            "initial-cluster": f"default={self._peers}",
            "log-level": "error",
            # Nothing here has to survive the machine.
            "unsafe-no-fsync": "true",
        }

    def _api_arguments(self) -> dict[str, str]:
        return {
            "etcd-servers": self._etcd,
            "bind-address": LOOPBACK,
            "advertise-address": LOOPBACK,
            "secure-port": str(self._port),
            "cert-dir": str(self.folder / "certificates"),
            "service-cluster-ip-range": "10.0.0.0/16",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": str(self.folder / "public.pem"),
            "service-account-signing-key-file": str(self.folder / "private.pem"),
            "token-auth-file": str(self.folder / "tokens.csv"),
            "authorization-mode": "RBAC",
            "allow-privileged": "true",
            # Its endpoints would be a loopback address, which is refused in a loop.
            "endpoint-reconciler-type": "none",
            "egress-selector-config-file": str(write_egress(self.folder)),
        }

    def _controller_arguments(self) -> dict[str, str]:
        return {
            "kubeconfig": str(self.kubeconfig),
            "service-account-private-key-file": str(self.folder / "private.pem"),
            "root-ca-file": str(self.folder / "certificates" / "apiserver.crt"),
            "leader-elect": "false",
            # Controllers of nodes and volumes have nothing to do here.
            "controllers": "*,-nodeipam,-nodelifecycle,-persistentvolume-binder,-persistentvolume-expander",
            "bind-address": LOOPBACK,
            "secure-port": "0",
            "concurrent-deployment-syncs": "5",
            # Tests wait for these: a namespace's end, the objects that an owner leaves.
            "namespace-sync-period": "10s",
            "kube-api-qps": "200",
            "kube-api-burst": "400",
        }

    def _write_keys(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.folder / "private.pem").write_bytes(private)
        (self.folder / "public.pem").write_bytes(public)
        (self.folder / "tokens.csv").write_text(f"{TOKEN},administrator,administrator,system:masters\n")

    def _write_kubeconfig(self) -> Path:
        file = self.folder / "kubeconfig"
        # The certificate has the authority that signed it, and is written at the first start.
        authority = str(self.folder / "certificates" / "apiserver.crt")
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "clusters": [{"name": CONTEXT, "cluster": {"server": self.url, "certificate-authority": authority}}],
            "users": [{"name": "administrator", "user": {"token": TOKEN}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": "administrator"}}],
        }
        file.write_text(yaml.safe_dump(document), encoding="utf-8")
        return file


def _free_ports(number: int) -> list[int]:
    """Different free ports below those that the kernel gives to clients: none may take one while its server is down."""
    found = list[int]()
    for port in random.sample(LISTENING, len(LISTENING)):
        with suppress(LotusError):
            found.append(free_port(port))
        if len(found) == number:
            break
    return found


@contextmanager
def running_api_server(folder: Path, programs: ClusterPrograms) -> Iterator[ApiServer]:
    """An API server in an empty folder, until the context ends."""
    server = ApiServer(folder, programs)
    try:
        server.start()
        yield server
    finally:
        server.stop()
