"""The certificate chain that a sidecar uses, read from Envoy, and openssl's judgement of it."""

import base64
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from components import _names as names
from ops.api import ClusterApi

SIDECAR = "istio-proxy"
EXEC_SECONDS = 20.0
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class SidecarCertificates:
    """What Envoy got from istiod by SDS, each certificate as PEM."""

    chain: tuple[str, ...]
    """The workload's own first, then those that signed it."""
    roots: tuple[str, ...]


def of_helloworld(api: ClusterApi) -> SidecarCertificates:
    """Read the certificates of a cluster's first helloworld pod."""
    pod = api.pods(names.APP_NAMESPACE, f"app={names.HELLOWORLD}")[0]
    command = ["pilot-agent", "request", "GET", "config_dump?resource=dynamic_active_secrets"]
    said = api.execute(names.APP_NAMESPACE, pod.name, SIDECAR, command, EXEC_SECONDS).stdout
    secrets = {entry["name"]: entry["secret"] for entry in json.loads(said)["configs"]}
    return SidecarCertificates(
        chain=_split(secrets["default"]["tls_certificate"]["certificate_chain"]["inline_bytes"]),
        roots=_split(secrets["ROOTCA"]["validation_context"]["trusted_ca"]["inline_bytes"]),
    )


def openssl_verifies(folder: Path, *, leaf: str, through: str, root: str) -> tuple[bool, str]:
    """Let openssl judge a chain that has one certificate between leaf and root; returns what it said too."""
    files = {"leaf": leaf, "through": through, "root": root}
    for name, pem in files.items():
        (folder / f"{name}.pem").write_text(pem)
    options = "-no-CApath -no-CAstore -CAfile root.pem -untrusted through.pem"
    command = ["openssl", "verify", *options.split(), "leaf.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    return done.returncode == 0, done.stdout + done.stderr


def openssl_text(pem: str, *options: str) -> str:
    """Let openssl print something of a certificate, such as `-subject`."""
    command = ["openssl", "x509", "-noout", *options]
    return subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout  # noqa: S603


def _split(inline_bytes: str) -> tuple[str, ...]:
    return tuple(PEM.findall(base64.b64decode(inline_bytes).decode()))
