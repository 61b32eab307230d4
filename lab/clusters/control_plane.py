"""One cluster's control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler."""

import ssl

import httpx

from lab.build.toolchain import Toolchain
from lab.clusters import kubeconfig
from lab.machine.processes import Component
from lab.spec import API_PORT, CLUSTER_DOMAIN, POD_CIDR, SERVICE_CIDR, ClusterSpec

_POLL_SECONDS = 2.0
# etcd accepts only "host:port", so the socket is a file in its working directory whose name looks like one.
_ETCD_SOCKET = "etcd.sock:0"


def etcd(spec: ClusterSpec, toolchain: Toolchain) -> Component:
    """
    Return the cluster's etcd.

    It listens only on sockets in a folder of root, where no pod can reach it.
    """
    client, peer = f"unix://{_ETCD_SOCKET}", "unix://etcd-peer.sock:0"
    return Component(
        "etcd",
        (
            str(toolchain.binary("etcd")),
            f"--name={spec.name}",
            f"--data-dir={spec.data / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster={spec.name}={peer}",
            # Without fsync etcd is faster. The lab can lose its data if the machine crashes, not if a process is
            # killed.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ),
        directory=spec.run,
    )


def api_server(spec: ClusterSpec, toolchain: Toolchain) -> Component:
    """Return the API server, which listens only on the node's address."""
    pki = spec.pki
    return Component(
        "kube-apiserver",
        (
            str(toolchain.binary("kube-apiserver")),
            f"--advertise-address={spec.address}",
            f"--bind-address={spec.address}",
            f"--secure-port={API_PORT}",
            f"--etcd-servers=unix://{spec.run / _ETCD_SOCKET}",
            f"--service-cluster-ip-range={SERVICE_CIDR}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            f"--client-ca-file={pki / 'ca.crt'}",
            f"--tls-cert-file={pki / 'apiserver.crt'}",
            f"--tls-private-key-file={pki / 'apiserver.key'}",
            f"--kubelet-certificate-authority={pki / 'ca.crt'}",
            f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}",
            f"--kubelet-client-key={pki / 'kubelet-client.key'}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-issuer=https://kubernetes.default.svc.{CLUSTER_DOMAIN}",
            f"--service-account-key-file={pki / 'service-account.pub'}",
            f"--service-account-signing-key-file={pki / 'service-account.key'}",
            "--profiling=false",
        ),
        config_files=(pki / "ca.crt", pki / "apiserver.crt", pki / "kubelet-client.crt"),
    )


def controller_manager(spec: ClusterSpec, toolchain: Toolchain) -> Component:
    """Return the controller manager; its only instance needs no leader election."""
    return Component(
        "kube-controller-manager",
        (
            *_client(spec, toolchain, "kube-controller-manager"),
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={spec.pki / 'service-account.key'}",
            f"--root-ca-file={spec.pki / 'ca.crt'}",
            f"--cluster-name={spec.name}",
            f"--cluster-cidr={POD_CIDR}",
        ),
        config_files=(spec.pki / "ca.crt", kubeconfig.path(spec, "kube-controller-manager")),
    )


def scheduler(spec: ClusterSpec, toolchain: Toolchain) -> Component:
    """Return the scheduler; its only instance needs no leader election."""
    return Component(
        "kube-scheduler",
        _client(spec, toolchain, "kube-scheduler"),
        config_files=(kubeconfig.path(spec, "kube-scheduler"),),
    )


def is_ready(spec: ClusterSpec) -> bool:
    """Return whether the API server reports that it is ready, over TLS verified with the cluster's CA."""
    try:
        verify = ssl.create_default_context(cafile=spec.pki / "ca.crt")
        with httpx.Client(verify=verify, trust_env=False, timeout=_POLL_SECONDS) as client:
            return client.get(f"{spec.server}/readyz").status_code == httpx.codes.OK
    except (httpx.TransportError, FileNotFoundError):
        return False


def _client(spec: ClusterSpec, toolchain: Toolchain, name: str) -> tuple[str, ...]:
    own = kubeconfig.path(spec, name)
    return (
        str(toolchain.binary(name)),
        f"--kubeconfig={own}",
        f"--authentication-kubeconfig={own}",
        f"--authorization-kubeconfig={own}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
    )
