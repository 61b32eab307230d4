"""Objects on a double of a cluster: steps, adoption, replacements, waits, refusals."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from errors import UserError
from lab.standin import awaits, clusters
from lab.standin.cluster import ClusterApi, ObjectIdentity, PassingError
from lab.standin.deletion import predecessors
from lab.standin.display import Display
from lab.standin.plan import Step
from lab.standin.run import begin
from lab.standin.stack import Stack
from lab.standin.state import Entry, State
from recorder.registrations import make_urn
from tests.support.fake_cluster import FakeCluster

if TYPE_CHECKING:
    from pathlib import Path

    from recorder.values import Properties

HEAD = """
import pulumi
import pulumi_kubernetes as k8s
opts = pulumi.ResourceOptions
cluster = k8s.Provider("cluster", kubeconfig=pulumi.Output.secret("x"), cluster_identifier="east")
o = opts(provider=cluster)
"""
HEAD_AWAY = HEAD.replace(
    'pulumi.Output.secret("x"), cluster_identifier="east"',
    'pulumi.Output.secret("away"), cluster_identifier="east", skip_update_unreachable=True',
)
NAMESPACE = 'ns = k8s.core.v1.Namespace("ns", metadata={"name": "sample"}, opts=o)\n'
CONFIG_MAP = (
    'k8s.core.v1.ConfigMap("map", metadata={"name": "map", "namespace": "sample"}, data={"weight": "10"}, opts=o)\n'
)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """Use a double of a cluster for every provider with the kubeconfig `x`."""
    double = FakeCluster()

    def connect(name: str, kubeconfig: str, *, forces_conflicts: bool) -> FakeCluster | ClusterApi:
        double.forces_conflicts = forces_conflicts
        return double if kubeconfig == "x" else ClusterApi(name, kubeconfig, forces_conflicts=forces_conflicts)

    monkeypatch.setattr(clusters, "ClusterApi", connect)
    monkeypatch.setattr(awaits, "_POLL_SECONDS", 0.01)
    return double


def run(folder: Path, text: str, verb: str, head: str = HEAD) -> tuple[bool, dict[str, Step], str]:
    """Run a program; return whether it succeeded, the steps by logical name, and the output."""
    (folder / "__main__.py").write_text(head + text)
    output = io.StringIO()
    display = Display(Console(file=output, width=500), as_json=False)
    with begin(Stack("mcsps", "lab", {}), folder, folder / "state", display) as started:
        is_well = started.destroy(unprotect=False) if verb == "destroy" else getattr(started, verb)()
    return is_well, {change.name: change.step for change in display.changes}, output.getvalue()


def test_a_changed_field_is_one_update_and_nothing_else(tmp_path: Path, cluster: FakeCluster) -> None:
    """The preview names the field, and the next preview shows no change."""
    assert run(tmp_path, NAMESPACE + CONFIG_MAP, "up")[0]
    shifted = NAMESPACE + CONFIG_MAP.replace('"10"', '"90"')
    _, steps, printed = run(tmp_path, shifted, "preview")
    assert steps == {"cluster": Step.SAME, "ns": Step.SAME, "map": Step.UPDATE}
    assert 'data.weight: "10" => "90"' in printed
    assert run(tmp_path, shifted, "up")[1]["map"] is Step.UPDATE
    assert set(run(tmp_path, shifted, "preview")[1].values()) == {Step.SAME}
    assert cluster.objects[ObjectIdentity("v1", "ConfigMap", "sample", "map")]["data"] == {"weight": "90"}


@pytest.mark.parametrize("verb", ["preview", "up"])
def test_an_object_that_somebody_else_made_is_refused_and_stays_theirs(
    tmp_path: Path, cluster: FakeCluster, verb: str
) -> None:
    """The next run and a destroy refuse it as well."""
    theirs = cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sample"}})
    for _ in range(2):
        is_well, _, printed = run(tmp_path, NAMESPACE, verb)
        assert not is_well
        assert "Namespace sample in east: it exists already, and this stack did not create it" in printed
    assert run(tmp_path, "", "destroy")[0]
    assert list(cluster.objects.values()) == [theirs]


def test_a_provider_that_adopts_takes_over_what_is_there(tmp_path: Path, cluster: FakeCluster) -> None:
    """Only `upsertExistingObjects` makes a provider adopt objects, as in Pulumi."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sample"}})
    adopting = NAMESPACE.replace(
        "opts=o", 'opts=opts(provider=k8s.Provider("adopting", kubeconfig="x", upsert_existing_objects=True))'
    )
    _, steps, printed = run(tmp_path, adopting, "preview")
    assert steps["ns"] is Step.CREATE
    assert "is adopted" in printed
    assert run(tmp_path, adopting, "up")[0]


@pytest.mark.parametrize(("option", "forces"), [("", False), (", enable_patch_force=True", True)])
def test_fields_of_other_managers_are_taken_over_only_if_the_provider_says_so(
    tmp_path: Path, cluster: FakeCluster, option: str, *, forces: bool
) -> None:
    """The option is `enablePatchForce`, as in Pulumi."""
    text = f'p = k8s.Provider("p", kubeconfig="x"{option})\n' + NAMESPACE.replace("opts=o", "opts=opts(provider=p)")
    assert run(tmp_path, text, "up")[0]
    assert cluster.forces_conflicts is forces


WEB = 'k8s.core.v1.Service("web", metadata={"name": "web", "namespace": "sample"}, spec={"ports": []}, opts=o)\n'


@pytest.mark.parametrize("verb", ["preview", "up"])
def test_objects_of_a_cluster_that_is_away_stay_as_the_state_has_them(
    tmp_path: Path, cluster: FakeCluster, verb: str
) -> None:
    """The program goes on with what the cluster had added to them, and one note names the provider."""
    text = NAMESPACE + CONFIG_MAP + f'pulumi.export("address", {WEB.strip()}.status.load_balancer.ingress[0].ip)'
    cluster.added = {"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}
    assert run(tmp_path, text, "up")[0]
    before = dict(cluster.objects)
    shifted = text.replace('"10"', '"90"')
    for is_first in (True, False):
        is_well, steps, printed = run(tmp_path, shifted, verb, head=HEAD_AWAY)
        assert is_well
        step = Step.UPDATE if is_first or verb == "preview" else Step.SAME
        assert steps == {"cluster": step, "ns": Step.SAME, "map": Step.SAME, "web": Step.SAME}
        assert printed.count("unreachable") == 1
        assert "cluster: its cluster is unreachable, so its objects are skipped" in printed
        assert "address: 1.2.3.4" in printed
    assert cluster.objects == before
    assert run(tmp_path, shifted, "preview")[1]["map"] is Step.UPDATE


def test_a_new_object_of_a_cluster_that_is_away_fails_in_the_update(tmp_path: Path, cluster: FakeCluster) -> None:
    """The preview shows its creation, as Pulumi's does."""
    assert run(tmp_path, NAMESPACE, "up")[0]
    is_well, steps, _ = run(tmp_path, NAMESPACE + CONFIG_MAP, "preview", head=HEAD_AWAY)
    assert is_well
    assert steps["map"] is Step.CREATE
    is_well, _, printed = run(tmp_path, NAMESPACE + CONFIG_MAP, "up", head=HEAD_AWAY)
    assert not is_well
    assert "map: configured Kubernetes cluster is unreachable: the kubeconfig of cluster cannot be used" in printed
    assert len(cluster.objects) == 1


def test_an_object_of_a_cluster_that_is_away_cannot_be_replaced(tmp_path: Path, cluster: FakeCluster) -> None:
    """A skipped replacement would never happen, because the state would have the new trigger."""
    text = NAMESPACE.replace("opts=o", 'opts=opts(provider=cluster, replacement_trigger="1")')
    assert run(tmp_path, text, "up")[0]
    triggered = text.replace('"1"', '"2"')
    assert run(tmp_path, triggered, "preview", head=HEAD_AWAY)[1]["ns"] is Step.REPLACE
    is_well, _, printed = run(tmp_path, triggered, "up", head=HEAD_AWAY)
    assert not is_well
    assert "ns: configured Kubernetes cluster is unreachable" in printed
    assert run(tmp_path, triggered, "up")[1]["ns"] is Step.REPLACE
    assert len(cluster.deleted) == 1


def test_an_object_behind_a_provider_without_a_kubeconfig_fails(tmp_path: Path, cluster: FakeCluster) -> None:
    """The stand-in skips an object only if the provider has the option for it."""
    assert run(tmp_path, NAMESPACE, "up")[0]
    head = HEAD_AWAY.replace(", skip_update_unreachable=True", "")
    assert run(tmp_path, NAMESPACE, "preview", head=head)[1] == {"cluster": Step.UPDATE, "ns": Step.SAME}
    is_well, _, printed = run(tmp_path, NAMESPACE, "up", head=head)
    assert not is_well
    assert "ns: configured Kubernetes cluster is unreachable" in printed
    assert len(cluster.objects) == 1


def test_an_object_of_a_cluster_that_is_away_is_deleted_only_on_demand(
    tmp_path: Path, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulumi's variable removes it from the state; nothing is sent to the cluster."""
    assert run(tmp_path, NAMESPACE, "up")[0]
    is_well, _, printed = run(tmp_path, "", "up", head=HEAD_AWAY)
    assert not is_well
    assert "ns: configured Kubernetes cluster is unreachable. If the cluster was deleted, you can remove" in printed
    assert not run(tmp_path, "", "destroy")[0]
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert run(tmp_path, "", "destroy")[1] == {"ns": Step.DELETE, "cluster": Step.DELETE}
    assert cluster.deleted == []


def test_an_object_that_somebody_deleted_is_made_again(tmp_path: Path, cluster: FakeCluster) -> None:
    """The run compares with the cluster and not with the state."""
    run(tmp_path, NAMESPACE, "up")
    cluster.objects.clear()
    assert run(tmp_path, NAMESPACE, "preview")[1]["ns"] is Step.CREATE
    run(tmp_path, NAMESPACE, "up")
    assert len(cluster.objects) == 1


def test_an_immutable_field_makes_the_object_anew(tmp_path: Path, cluster: FakeCluster) -> None:
    """The object is deleted and then created, as the preview shows."""
    frozen = CONFIG_MAP.replace(", data=", ", immutable=True, data=")
    run(tmp_path, frozen, "up")
    changed = frozen.replace('"10"', '"90"')
    assert run(tmp_path, changed, "preview")[1]["map"] is Step.REPLACE
    assert run(tmp_path, changed, "up")[1]["map"] is Step.REPLACE
    assert len(cluster.deleted) == 1


def test_a_protected_object_is_never_made_anew(tmp_path: Path, cluster: FakeCluster) -> None:
    """`up` refuses before it deletes anything, as the preview does."""
    frozen = CONFIG_MAP.replace(", data=", ", immutable=True, data=").replace(
        "opts=o", "opts=opts(provider=cluster, protect=True)"
    )
    run(tmp_path, frozen, "up")
    for verb in ("preview", "up"):
        is_well, _, printed = run(tmp_path, frozen.replace('"10"', '"90"'), verb)
        assert not is_well
        assert "map is protected and would be replaced" in printed
    assert cluster.deleted == []
    assert cluster.objects[ObjectIdentity("v1", "ConfigMap", "sample", "map")]["data"] == {"weight": "10"}


def test_an_object_that_another_resource_stands_for_now_is_not_deleted(tmp_path: Path, cluster: FakeCluster) -> None:
    """With a new logical name and no alias, only the old entry is removed, as preview and up report."""
    run(tmp_path, CONFIG_MAP, "up")
    renamed = CONFIG_MAP.replace('ConfigMap("map"', 'ConfigMap("weights"')
    for verb in ("preview", "up"):
        is_well, steps, printed = run(tmp_path, renamed, verb)
        assert is_well
        assert steps["map"] is Step.DELETE
        assert "another resource manages it now: only removed from the state" in printed
    assert cluster.deleted == []
    assert set(run(tmp_path, renamed, "preview")[1].values()) == {Step.SAME}


def test_an_object_in_another_version_of_its_api_is_the_same_object(tmp_path: Path, cluster: FakeCluster) -> None:
    """A deletion of the old version would delete the new one."""
    text = 'k8s.apiextensions.CustomResource("g", api_version="a.io/v1beta1", kind="Gateway", metadata={"name": "g"}, '
    run(tmp_path, f"{text}opts=o)", "up")
    assert run(tmp_path, f"{text.replace('v1beta1', 'v1')}opts=o)", "up")[0]
    assert cluster.deleted == []


def test_an_object_that_was_given_up_and_is_wanted_again_stays(tmp_path: Path, cluster: FakeCluster) -> None:
    """A run that was killed before its deletions leaves an entry of the old name; the cluster may be away then."""
    run(tmp_path, CONFIG_MAP, "up")
    state = State.load("lab", tmp_path / "state")
    (entry,) = (each for each in state.entries().values() if each.type.endswith("ConfigMap"))
    for head in (HEAD, HEAD_AWAY):
        state.put(replace(entry, urn=f"{entry.urn}::{entry.id}"))
        assert run(tmp_path, CONFIG_MAP, "up", head=head)[0]
        assert cluster.deleted == []
        assert len(cluster.objects) == 1
        state = State.load("lab", tmp_path / "state")
        assert len(state.entries()) == 2


def test_a_renamed_object_is_deleted_after_its_successor_is_there(tmp_path: Path, cluster: FakeCluster) -> None:
    """By then, users of the old object use the new one."""
    run(tmp_path, CONFIG_MAP, "up")
    renamed = CONFIG_MAP.replace('"name": "map"', '"name": "map-2"')
    assert run(tmp_path, renamed, "preview")[1]["map"] is Step.REPLACE
    run(tmp_path, renamed, "up")
    assert [identity.name for identity in cluster.objects] == ["map-2"]
    assert set(run(tmp_path, renamed, "preview")[1].values()) == {Step.SAME}


def test_secret_data_is_never_printed(tmp_path: Path, cluster: FakeCluster) -> None:
    """Old values are not printed either. The cluster gets the values as `data`, so that removed keys disappear."""
    program = 'k8s.core.v1.Secret("s", metadata={"name": "s", "namespace": "d"}, string_data={"k": "hunter2"}, opts=o)'
    run(tmp_path, program, "up")
    _, steps, printed = run(tmp_path, program.replace("hunter2", "hunter3"), "preview")
    assert steps["s"] is Step.UPDATE
    assert "data.k: [secret] => [secret]" in printed
    assert "hunter" not in printed
    (live,) = cluster.objects.values()
    assert live["data"] == {"k": "aHVudGVyMg=="}
    assert "stringData" not in live


def test_a_state_that_a_kill_left_behind_knows_the_object(
    tmp_path: Path, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pending entry is stored before the creation, so that destroy finds the object."""

    def killed(*_: object, **__: object) -> None:
        raise SystemError("killed")

    monkeypatch.setattr(awaits, "wait_until_ready", killed)
    assert not run(tmp_path, NAMESPACE, "up")[0]
    (entry,) = (e for e in State.load("lab", tmp_path / "state").entries().values() if e.type.endswith("Namespace"))
    assert entry.pending
    assert run(tmp_path, "", "destroy")[0]
    assert cluster.objects == {}


def test_a_preview_does_without_a_webhook_that_does_not_answer(
    tmp_path: Path, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It compares only the declared fields, and reports the reason."""
    run(tmp_path, CONFIG_MAP, "up")

    def refuse(_manifest: Properties) -> Properties:
        raise PassingError("failed calling webhook")

    monkeypatch.setattr(cluster, "apply_dry", refuse)
    assert run(tmp_path, CONFIG_MAP, "preview")[1]["map"] is Step.SAME
    _, steps, printed = run(tmp_path, CONFIG_MAP.replace('"10"', '"90"'), "preview")
    assert steps["map"] is Step.UPDATE
    assert "compared without the server: failed calling webhook" in printed


def test_an_ignored_field_keeps_what_the_cluster_has(tmp_path: Path, cluster: FakeCluster) -> None:
    """`ignoreChanges` selects fields by path."""
    run(tmp_path, CONFIG_MAP, "up")
    ignoring = CONFIG_MAP.replace('"10"', '"90"').replace(
        "opts=o", 'opts=opts(provider=cluster, ignore_changes=["data"])'
    )
    assert run(tmp_path, ignoring, "up")[1]["map"] is Step.SAME
    assert cluster.objects[ObjectIdentity("v1", "ConfigMap", "sample", "map")]["data"] == {"weight": "10"}


def test_a_service_that_exists_can_be_read_and_one_that_does_not_is_named(tmp_path: Path, cluster: FakeCluster) -> None:
    """The program can read it with `Service.get`."""
    read = 's = k8s.core.v1.Service.get("s", "d/web", opts=o)\npulumi.export("ip", s.spec["cluster_ip"])\n'
    assert "Service d/web does not exist" in run(tmp_path, read, "up")[2]
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "d"},
            "spec": {"clusterIP": "1.2.3.4"},
        }
    )
    assert "ip: 1.2.3.4" in run(tmp_path, read, "up")[2]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('k8s.core.v1.ConfigMap("x", data={}, opts=o)', "metadata.name"),
        ('k8s.core.v1.ConfigMapPatch("x", metadata={"name": "x"}, opts=o)', "ConfigMapPatch"),
        ('k8s.helm.v4.Chart("x", chart="y", opts=o)', "helm.sh/v4:Chart"),
        ('k8s.apps.v1.DaemonSet("x", metadata={"name": "x"}, spec={}, opts=o)', "waiting for a apps/DaemonSet"),
        ('k8s.yaml.v2.ConfigGroup("x", yaml="{}", opts=o)', "ConfigGroup"),
    ],
)
@pytest.mark.usefixtures("cluster")
def test_what_is_not_carried_out_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    """The stand-in refuses kinds without a known wait, components of a provider, and generated names."""
    is_well, _, printed = run(tmp_path, text, "up")
    assert not is_well
    assert named in printed


def deployment(**status: Any) -> Properties:  # noqa: ANN401 - JSON data
    """Return a Deployment of two replicas."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "d", "generation": 2},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"observedGeneration": 2, **status},
    }


def service(kind: str, **status: Any) -> Properties:  # noqa: ANN401 - JSON data
    """Return a Service without a selector."""
    metadata = {"name": "web", "namespace": "d"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"type": kind}, "status": status}


def custom(annotation: str, **status: Any) -> Properties:  # noqa: ANN401 - JSON data
    """Return an object of another kind, with an annotation for its readiness."""
    metadata = {"name": "x", "annotations": {"pulumi.com/waitFor": annotation}}
    return {"apiVersion": "a.io/v1", "kind": "Thing", "metadata": metadata, "status": status}


def quota(**status: Any) -> Properties:  # noqa: ANN401 - JSON data
    """Return a quota of two pods."""
    metadata = {"name": "few", "namespace": "d"}
    spec = {"hard": {"pods": "2"}}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec, "status": status}


READY = {"updatedReplicas": 2, "availableReplicas": 2, "replicas": 2}
TOKEN = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t"}, "type": "kubernetes.io/service-account-token"}


@pytest.mark.parametrize(
    ("live", "missing"),
    [
        (deployment(**READY), ""),
        (deployment(**{**READY, "availableReplicas": 1}), "1/2 ready"),
        (deployment(**{**READY, "replicas": 3}), "2/2 ready"),
        (deployment(**{**READY, "observedGeneration": 1}), "has not processed it"),
        (service("LoadBalancer"), "no load balancer has assigned an address"),
        (service("LoadBalancer", loadBalancer={"ingress": [{"ip": "1.2.3.4"}]}), ""),
        (service("ClusterIP"), ""),
        (quota(), "quota controller"),
        (quota(hard={"pods": "9"}), "quota controller"),
        (quota(hard={"pods": "2"}), ""),
        (TOKEN, "has not added a token"),
        ({**TOKEN, "data": {"token": "eA=="}}, ""),
        (custom("condition=Ready", conditions=[{"type": "Ready", "status": "False", "message": "why"}]), "why"),
        (custom("condition=Ready=False", conditions=[{"type": "Ready", "status": "False"}]), ""),
        (custom("jsonpath={.status.list[0].phase}=Running", list=[{"phase": "Running"}]), ""),
        (custom("jsonpath={.status.phase}=Running", phase="Pending"), "{.status.phase} is not Running yet"),
        (custom("jsonpath={.status.phase}"), "{.status.phase} is not set yet"),
        (custom('["jsonpath={.status.a}", "condition=Ready"]', a=1), "condition Ready"),
    ],
)
def test_what_is_missing_is_said_in_words(live: Properties, missing: str) -> None:
    """The text is empty when nothing is missing."""
    text = awaits.what_is_missing(FakeCluster(), live)  # type: ignore[arg-type]
    assert missing in text
    assert bool(text) == bool(missing)


def test_a_waiting_pod_gives_its_reason() -> None:
    """Users look for the reason first."""
    cluster = FakeCluster()
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "d"}}
    cluster.apply({**pod, "status": {"containerStatuses": [{"name": "app", "state": waiting}]}})
    text = awaits.what_is_missing(cluster, deployment())  # type: ignore[arg-type]
    assert text == "0/2 ready; pod web-1, container app: ImagePullBackOff: no such image"


def test_the_error_after_the_timeout_names_object_limit_and_what_is_missing(cluster: FakeCluster) -> None:
    """The annotation sets the timeout."""
    live = service("LoadBalancer")
    live["metadata"]["annotations"] = {"pulumi.com/timeoutSeconds": "0"}
    cluster.objects[ObjectIdentity.of(live)] = live
    with pytest.raises(UserError) as caught:
        awaits.wait_until_ready(cluster, live, None, lambda _: None)  # type: ignore[arg-type]
    assert str(caught.value) == "Service d/web is not ready after 0 s: no load balancer has assigned an address"


@pytest.mark.parametrize(("own", "seconds"), [("5m", 300), ("1h30m", 5400), ("1.5s", 1.5), (None, 600)])
def test_timeouts_are_in_gos_notation(own: str | None, seconds: float) -> None:
    """The resource's timeout has priority, and Pulumi's default is last."""
    assert awaits.timeout_seconds({"metadata": {}}, own) == seconds


def urn(type_: str, name: str, parent: str | None = None) -> str:
    """Return a URN of the stack."""
    return make_urn(stack="lab", project="mcsps", parent=parent, type_=type_, name=name)


def test_dependents_go_first_and_webhooks_before_all() -> None:
    """No request of a deletion must go to the webhook of an istiod that is deleted."""
    provider = urn("pulumi:providers:kubernetes", "east")
    chart = urn("mcsps:index:Chart", "istiod")
    deployed = urn("kubernetes:apps/v1:Deployment", "istiod:istiod", chart)
    webhook = urn("kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration", "istiod:hook", chart)
    gateway = urn("kubernetes:networking.istio.io/v1:Gateway", "gateway")

    def entry(urn: str, parent: str | None = None, *needs: str) -> Entry:
        type_ = urn.split("::")[2].rpartition("$")[2]
        return Entry(urn=urn, type=type_, parent=parent, provider=provider, dependencies=needs)

    entries = {
        provider: Entry(urn=provider, type="pulumi:providers:kubernetes"),
        chart: Entry(urn=chart, type="mcsps:index:Chart"),
        deployed: entry(deployed, chart),
        webhook: entry(webhook, chart),
        gateway: entry(gateway, None, deployed),
    }
    before = predecessors(entries)
    assert before[webhook] == set()
    assert before[gateway] == {webhook}
    assert before[deployed] == {gateway, webhook}
    assert before[chart] == {deployed, webhook}
    assert before[provider] == {deployed, webhook, gateway}
