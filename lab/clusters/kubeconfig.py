"""Writes kubeconfigs with inline CA, client certificate and key."""

from base64 import b64encode
from pathlib import Path

import yaml

from lab.machine import files
from lab.spec import ClusterSpec

COMPONENTS = (
    "kubelet",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
)
"""The certificate subjects that get a kubeconfig next to their keys."""


def render(spec: ClusterSpec, user: str, ca: bytes, certificate: bytes, key: bytes) -> str:
    """Return a kubeconfig whose context is named after the cluster; the result is secret."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": spec.name,
            "clusters": [
                {
                    "name": spec.name,
                    "cluster": {
                        "server": spec.server,
                        "certificate-authority-data": b64encode(ca).decode(),
                    },
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate-data": b64encode(certificate).decode(),
                        "client-key-data": b64encode(key).decode(),
                    },
                }
            ],
            "contexts": [{"name": spec.name, "context": {"cluster": spec.name, "user": user}}],
        },
        sort_keys=False,
    )


def path(spec: ClusterSpec, component: str) -> Path:
    """Return the path of a component's kubeconfig."""
    return spec.pki / f"{component}.kubeconfig"


def ensure(spec: ClusterSpec) -> None:
    """Write the components' kubeconfigs and, last, the administrator's."""
    for component in COMPONENTS:
        files.write(path(spec, component), _from_files(spec, component))
    files.write(spec.kubeconfig, _from_files(spec, "admin"))


def _from_files(spec: ClusterSpec, subject: str) -> str:
    return render(
        spec,
        subject,
        (spec.pki / "ca.crt").read_bytes(),
        (spec.pki / f"{subject}.crt").read_bytes(),
        (spec.pki / f"{subject}.key").read_bytes(),
    )
