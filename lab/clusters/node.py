"""The node of one cluster: containerd, kubelet and kube-proxy, their configuration, and the node's images."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from errors import UserError
from lab.build import images
from lab.build.toolchain import Toolchain
from lab.clusters import kubeconfig
from lab.machine import files
from lab.machine.command import inside, run
from lab.machine.processes import Component
from lab.spec import CLUSTER_DOMAIN, DNS_ADDRESS, POD_CIDR, ClusterSpec

CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
"""The folders of the network plugins: Debian's, and the usual one elsewhere."""
CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap")
# Each node has its own, because these paths are in its mount namespace.
CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")
_IMPORT_SECONDS = 600.0


def cni_folder() -> Path | None:
    """Return the folder with all network plugins that a node needs; None if no folder has them."""
    for folder in CNI_FOLDERS:
        if all((folder / plugin).exists() for plugin in CNI_PLUGINS):
            return folder
    return None


def configure(spec: ClusterSpec) -> None:
    """Write the configuration of every program that runs on the node."""
    files.write(spec.config / "containerd.toml", containerd_config(spec, cni_folder()))
    files.write(spec.config / "cni" / "10-lab.conflist", json.dumps(cni_config(spec), indent=2))
    files.write(spec.config / "kubelet.yaml", yaml.safe_dump(kubelet_config(spec)))
    files.write(spec.config / "kube-proxy.yaml", yaml.safe_dump(kube_proxy_config(spec)))
    # The lab has no upstream name server; an empty file keeps the host's out of the pods.
    files.write(spec.config / "resolv.conf", "")


def containerd(spec: ClusterSpec) -> Component:
    """Return the container runtime that is installed on the machine."""
    config = spec.config / "containerd.toml"
    return Component(
        "containerd",
        ("containerd", f"--config={config}"),
        config_files=(config,),
        in_node_mounts=True,
    )


def kubelet(spec: ClusterSpec, toolchain: Toolchain) -> Component:
    """Return the kubelet, which runs in the node's mount namespace."""
    config, own = spec.config / "kubelet.yaml", kubeconfig.path(spec, "kubelet")
    labels = {
        "role": "ingress",
        "topology.kubernetes.io/region": spec.name,
        "topology.kubernetes.io/zone": f"{spec.name}-a",
    }
    return Component(
        "kubelet",
        (
            str(toolchain.binary("kubelet")),
            f"--config={config}",
            f"--kubeconfig={own}",
            f"--root-dir={spec.data / 'kubelet'}",
            f"--hostname-override={spec.name}",
            f"--node-ip={spec.address}",
            f"--node-labels={','.join(f'{key}={value}' for key, value in labels.items())}",
        ),
        config_files=(config, own, spec.pki / "kubelet-server.crt"),
        in_node_mounts=True,
    )


def kube_proxy(spec: ClusterSpec, toolchain: Toolchain) -> Component:
    """Return kube-proxy, which changes the iptables of the node's network namespace."""
    config = spec.config / "kube-proxy.yaml"
    return Component(
        "kube-proxy",
        (str(toolchain.binary("kube-proxy")), f"--config={config}"),
        config_files=(config, kubeconfig.path(spec, "kube-proxy")),
        in_node_mounts=True,
    )


def is_runtime_ready(spec: ClusterSpec) -> bool:
    """Return whether containerd answers."""
    try:
        _ctr(spec, "--connect-timeout=1s", "version")
    except UserError:
        return False
    return True


def import_images(spec: ClusterSpec, archives: Sequence[Path]) -> None:
    """
    Load the archives that the node does not have yet, the small ones first.

    An archive's path identifies its content, because it contains the hash of its inputs.
    """
    done_path = spec.data / "imported.json"
    done: list[str] = json.loads(done_path.read_text()) if done_path.exists() else []
    for archive in sorted(archives, key=lambda path: path.stat().st_size):
        if str(archive) not in done:
            _ctr(spec, "images", "import", str(archive))
            done.append(str(archive))
            files.write(done_path, json.dumps(done))


def containerd_config(spec: ClusterSpec, plugins: Path | None) -> str:
    """Return containerd's configuration: pure."""
    return f"""\
version = 2
root = "{spec.data / "containerd"}"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.tracing",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{images.PAUSE}"
# Without CAP_SYS_RESOURCE no sandbox can lower its score.
restrict_oom_score_adj = true
# A profile stays in the kernel when the lab is removed.
disable_apparmor = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins or CNI_FOLDERS[0]}"
conf_dir = "{spec.config / "cni"}"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def cni_config(spec: ClusterSpec) -> dict[str, Any]:
    """Return the pod network: a bridge, with the node's address as the source of traffic that leaves the node."""
    return {
        "cniVersion": "1.0.0",
        "name": "lab",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isDefaultGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": str(POD_CIDR)}]],
                    "dataDir": str(spec.data / "cni"),
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet_config(spec: ClusterSpec) -> dict[str, Any]:
    """Return the kubelet's configuration: pure."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(spec.address),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(spec.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(spec.pki / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(spec.pki / "kubelet-server.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "podLogsDir": str(spec.logs / "pods"),
        "volumePluginDir": str(spec.data / "kubelet" / "volume-plugins"),
        "clusterDomain": CLUSTER_DOMAIN,
        "clusterDNS": [str(DNS_ADDRESS)],
        "resolvConf": str(spec.config / "resolv.conf"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{spec.pods_cgroup}",
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        # The delay until a changed Secret appears in a mounted volume, and so the duration of a rotation.
        "syncFrequency": "10s",
        # Images cannot be pulled again, so never collect them, and evict only when almost no disk is left.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
    }


def kube_proxy_config(spec: ClusterSpec) -> dict[str, Any]:
    """Return kube-proxy's configuration: pure."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(kubeconfig.path(spec, "kube-proxy"))},
        "hostnameOverride": spec.name,
        "bindAddress": str(spec.address),
        "clusterCIDR": str(POD_CIDR),
        "iptables": {"minSyncPeriod": "200ms"},
        # Zero keeps the kernel's connection tracking limits, which belong to the host.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def _ctr(spec: ClusterSpec, *arguments: str) -> None:
    client = ("ctr", f"--address={CONTAINERD_SOCKET}", "--namespace=k8s.io", *arguments)
    run(*inside(None, str(spec.mountns_path), client), timeout_seconds=_IMPORT_SECONDS)
