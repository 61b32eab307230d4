"""The configuration of a node's programs."""

import tomllib

from lab import spec
from lab.clusters import node
from lab.machine import mounts

EAST, WEST = spec.clusters(2)


def test_containerd_reads_its_configuration() -> None:
    """It is TOML with the settings that pods need to start in a lab."""
    plugin = tomllib.loads(node.containerd_config(EAST, None))["plugins"]["io.containerd.grpc.v1.cri"]
    assert plugin["sandbox_image"].startswith("mcsps.lab/")
    assert plugin["restrict_oom_score_adj"] is True
    assert plugin["disable_apparmor"] is True


def test_two_nodes_share_nothing_on_disk_and_no_cgroup() -> None:
    """Two kubelets that share a cgroup delete each other's pods."""
    east, west = node.kubelet_config(EAST), node.kubelet_config(WEST)
    assert (east["cgroupRoot"], west["cgroupRoot"]) == ("/mcsps-lab/east/pods", "/mcsps-lab/west/pods")
    for key in ("podLogsDir", "volumePluginDir", "tlsPrivateKeyFile", "address"):
        assert east[key] != west[key]
    assert (
        node.cni_config(EAST)["plugins"][0]["ipam"]["dataDir"] != node.cni_config(WEST)["plugins"][0]["ipam"]["dataDir"]
    )


def test_nobody_reaches_a_kubelet_without_a_certificate() -> None:
    """Anonymous requests are disabled, and the API server authorizes the others."""
    config = node.kubelet_config(EAST)
    assert config["authentication"]["anonymous"] == {"enabled": False}
    assert config["authentication"]["x509"] == {"clientCAFile": str(EAST.pki / "ca.crt")}
    assert config["authorization"] == {"mode": "Webhook"}


def test_a_changed_secret_is_seen_within_ten_seconds() -> None:
    """A rotation of the mesh's CA waits until pods see the changed Secret."""
    assert node.kubelet_config(EAST)["syncFrequency"] == "10s"


def test_images_are_never_collected() -> None:
    """There is no registry from which to pull them again."""
    assert node.kubelet_config(EAST)["imageGCHighThresholdPercent"] == 100


def test_kube_proxy_leaves_the_hosts_connection_tracking_alone() -> None:
    """The limits of connection tracking apply to the machine, not to the namespace."""
    assert set(node.kube_proxy_config(EAST)["conntrack"].values()) == {0, "0s"}


def test_a_node_covers_every_setting_that_its_kubelet_would_change_on_the_host() -> None:
    """The mounts happen before the tree becomes shared, and the lab's state stays visible."""
    script = mounts.script(EAST)
    for key in mounts.TUNABLES:
        assert f"/proc/sys/{key}" in script
    assert script.index("--bind") < script.index("make-rshared")
    assert f"mount --move /run/kept {spec.STATE_DIR}" in script
