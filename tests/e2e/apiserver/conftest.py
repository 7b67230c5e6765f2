"""A real API server on HTTPS in a thread, and the real kubectl in front of it."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portway.apiserver.app import ApiServer
from portway.apiserver.settings import Settings
from portway.store.caching import Cache
from portway.store.sqlite import SqliteStore

KUBECTL = shutil.which("kubectl")
DEADLINE_SECONDS = 60


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portway test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "tls.crt", folder / "tls.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_path, key_path


@dataclass
class Running:
    """An API server of its own thread and event loop."""

    folder: Path
    url: str = ""
    admin: str = ""
    certificate: Path = Path()
    _ready: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _server: uvicorn.Server | None = None
    _api: ApiServer | None = None

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="apiserver")
        thread.start()
        assert self._ready.wait(DEADLINE_SECONDS), "the API server did not start"
        return thread

    def stop(self, thread: threading.Thread) -> None:
        assert self._server is not None
        self._server.should_exit = True
        thread.join(DEADLINE_SECONDS)

    def mint(self, user: str, *groups: str) -> str:
        assert self._api is not None
        assert self._loop is not None
        minting = asyncio.run_coroutine_threadsafe(self._api.tokens.mint(user, groups), self._loop)
        return minting.result(DEADLINE_SECONDS)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        cache = Cache(SqliteStore(self.folder / "store.db"))
        await cache.start()
        self.certificate, key = _certificate(self.folder)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
            self.url = f"https://127.0.0.1:{listener.getsockname()[1]}"
            pem = self.certificate.read_text()
            self._api = api = ApiServer(cache, Settings(external_url=self.url, ca_certificate=pem))
            await api.start()
            self.admin = await api.tokens.mint("admin", ["system:masters"])
            config = uvicorn.Config(
                api,
                lifespan="off",
                log_level="warning",
                ssl_certfile=str(self.certificate),
                ssl_keyfile=str(key),
                timeout_graceful_shutdown=1,
            )
            self._server = uvicorn.Server(config)
            self._ready.set()
            await self._server.serve(sockets=[listener])
            # Killed clients leave theirs half open; TLS would wait half a minute for their goodbye.
            for transport in list(getattr(self._loop, "_transports", {}).values()):
                transport.abort()
            await asyncio.sleep(0.1)
        await api.close()
        await cache.close()


@dataclass
class Kubectl:
    """kubectl as one user in one workspace. Calling it gives what it printed."""

    server: Running
    workspace: str
    token: str
    home: Path

    def __call__(self, *arguments: str, stdin: str = "", fails: bool = False) -> str:
        done = self.run(*arguments, stdin=stdin)
        assert (done.returncode != 0) == fails, f"kubectl {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stderr if fails else done.stdout

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
            env=self.environment,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command(*arguments), stdout=subprocess.PIPE, text=True, env=self.environment)

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))

    def command(self, *arguments: str) -> list[str]:
        assert KUBECTL
        return [KUBECTL, "--kubeconfig", str(self.kubeconfig), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KUBE")}
        return {**kept, "HOME": str(self.home), "EDITOR": "true"}

    @property
    def kubeconfig(self) -> Path:
        path = self.home / "kubeconfig"
        if not path.exists():
            cluster = {
                "server": f"{self.server.url}/clusters/{self.workspace}",
                "certificate-authority": str(self.server.certificate),
            }
            config = {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [{"name": "test", "cluster": cluster}],
                "users": [{"name": "test", "user": {"token": self.token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            }
            path.write_text(json.dumps(config))
        return path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("apiserver"))
    thread = running.start()
    try:
        yield running
    finally:
        running.stop(thread)


@pytest.fixture(scope="session")
def root(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """As administrator in workspace root."""
    if KUBECTL is None:
        pytest.skip("kubectl is not installed: get it from https://kubernetes.io/docs/tasks/tools/")
    return Kubectl(server, "root", server.admin, tmp_path_factory.mktemp("root"))


@pytest.fixture
def kubeconfig(server: Running, tmp_path: Path) -> Path:
    """Of the administrator in root, for other clients than kubectl."""
    return Kubectl(server, "root", server.admin, tmp_path).kubeconfig


@pytest.fixture
def kubectl(request: pytest.FixtureRequest, server: Running, root: Kubectl, tmp_path: Path) -> Kubectl:
    """As administrator in a fresh workspace."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**10}"
    manifest = {"apiVersion": "tenancy.kcp.io/v1alpha1", "kind": "Workspace", "metadata": {"name": name}}
    root("create", "-f", "-", stdin=json.dumps(manifest))
    return Kubectl(server, f"root:{name}", server.admin, tmp_path)
