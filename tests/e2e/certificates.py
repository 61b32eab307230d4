"""Reads the certificate chain that a sidecar uses, and verifies it by openssl."""

import subprocess
from pathlib import Path

from mesh import names
from ops.cluster.api import ClusterApi
from ops.cluster.envoy import Certificates
from ops.cluster.sidecar import see_certificates


def of_helloworld(api: ClusterApi) -> Certificates:
    """Read the certificates of a cluster's first helloworld pod."""
    pod = api.pods(names.APP_NAMESPACE, f"app={names.HELLOWORLD}")[0]
    return see_certificates(api, names.APP_NAMESPACE, pod.name)


def openssl_verifies(folder: Path, *, leaf: str, through: str, root: str) -> tuple[bool, str]:
    """Verify a chain with one intermediate by openssl; return the result and openssl's output."""
    files = {"leaf": leaf, "through": through, "root": root}
    for name, pem in files.items():
        (folder / f"{name}.pem").write_text(pem)
    options = "-no-CApath -no-CAstore -CAfile root.pem -untrusted through.pem"
    command = ["openssl", "verify", *options.split(), "leaf.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed command
    return done.returncode == 0, done.stdout + done.stderr


def openssl_text(pem: str, *options: str) -> str:
    """Return openssl's output about a certificate, with options such as `-subject`."""
    command = ["openssl", "x509", "-noout", *options]
    return subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout  # noqa: S603
