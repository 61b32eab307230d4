"""What the lab itself puts into a cluster."""

from lab import addons

BY_KIND = {(it["kind"], it["metadata"]["name"]): it for it in addons.manifests()}


def test_name_service_has_the_address_that_kubelets_hand_out() -> None:
    """Else no pod resolves a name."""
    assert BY_KIND["Service", "kube-dns"]["spec"]["clusterIP"] == "10.43.0.10"


def test_load_balancer_may_read_services_and_patch_their_status_alone() -> None:
    """A program that needs no more gets no more."""
    rules = BY_KIND["ClusterRole", "mcsps-lab:loadbalancer"]["rules"]
    assert [(it["resources"], it["verbs"]) for it in rules] == [
        (["services"], ["get", "list", "watch"]),
        (["services/status"], ["patch"]),
    ]


def test_name_service_runs_without_root_and_writes_nothing() -> None:
    """And is never pulled: there is no registry."""
    pod = BY_KIND["Deployment", "coredns"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert container["imagePullPolicy"] == "Never"


def test_every_binding_is_to_a_role_that_is_there() -> None:
    """The lab's own, or one of Kubernetes' own."""
    roles = {name for kind, name in BY_KIND if kind == "ClusterRole"}
    bound = {it["roleRef"]["name"] for (kind, _), it in BY_KIND.items() if kind == "ClusterRoleBinding"}
    assert {name for name in bound if not name.startswith("system:")} <= roles
