"""The real engine runs the policy pack. A violation stops the run with its remedy. Skipped without that engine."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pulumi_tls as tls
import pytest
from pulumi import Input, ResourceOptions, automation
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from tests.support import pems
from tests.support.stacks import ROOT

ENGINE = ("pulumi", "pulumi-language-python", "pulumi-resource-kubernetes", "pulumi-resource-tls")
MISSING = [program for program in ENGINE if not shutil.which(program)]
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(bool(MISSING), reason=f"the real engine is not on PATH: {', '.join(MISSING)}"),
]

HOST = "helloworld.sample.svc.cluster.local"
FAILOVER = {"loadBalancer": {"localityLbSetting": {"failover": [{"from": "east", "to": "west"}]}}}
RANGES = ("10.1.0.0/16",)
BROKEN = {
    "mcsps-kubernetes-cluster-identifier",
    "mcsps-root-ca-protected",
    "mcsps-root-ca-validity",
    "mcsps-access-no-cluster-admin",
    "mcsps-routing-weights",
    "mcsps-routing-equal",
    "mcsps-routing-subsets",
    "mcsps-routing-failover",
    "mcsps-istio-version-floor",
    "mcsps-sources-allowed",
    "mcsps-secrets-not-in-inputs",
    "mcsps-secrets-not-in-outputs",
}
ADVISED = {"mcsps-eastwest-source-ranges", "mcsps-namespaces-network-policy"}


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program with the resources of two clusters. Its objects are rendered to files, so it needs no cluster."""

    weight: Input[int] = 10
    """The weight of v2 in the cluster west."""
    subset: Input[str] = "v2"
    image: Input[str] = "docker.io/istio/pilot:1.31.1"
    role: str = "reader"
    exported: Input[str] = "nothing secret"
    traffic_policy: Mapping[str, Any] | None = None
    ranges: Sequence[Input[str]] = ()
    isolated: bool = False
    identifies_third: bool = True
    protected: bool = True
    validity_hours: int = 87600

    def run(self, folder: Path) -> None:
        """Register all resources."""
        # Rules about the mesh judge only resources in the program's components.
        trust = pulumi.ComponentResource("mcsps:index:MeshTrust", "trust")
        key = tls.PrivateKey(
            "key",
            algorithm="ECDSA",
            ecdsa_curve="P384",
            opts=ResourceOptions(parent=trust, protect=self.protected),
        )
        tls.SelfSignedCert(
            "root",
            private_key_pem=key.private_key_pem,
            subject={"common_name": "Root CA"},
            validity_period_hours=self.validity_hours,
            is_ca_certificate=True,
            allowed_uses=["cert_signing"],
            opts=ResourceOptions(parent=trust, protect=self.protected),
        )
        for cluster in ("east", "west"):
            self._cluster(cluster, folder / cluster)
        k8s.Provider(
            "third", cluster_identifier="third" if self.identifies_third else None, render_yaml_to_directory=str(folder)
        )
        pulumi.export("exported", self.exported)

    def _cluster(self, cluster: str, folder: Path) -> None:
        provider = k8s.Provider(cluster, cluster_identifier=cluster, render_yaml_to_directory=str(folder))
        opts = ResourceOptions(
            provider=provider, parent=pulumi.ComponentResource("mcsps:index:HelloworldApp", f"{cluster}-app")
        )
        sample: ObjectMetaArgsDict = {"name": "helloworld", "namespace": "sample"}
        k8s.core.v1.Namespace(
            f"{cluster}-sample", metadata={"name": "sample", "labels": {"istio-injection": "enabled"}}, opts=opts
        )
        if self.isolated:
            k8s.networking.v1.NetworkPolicy(f"{cluster}-policy", metadata=sample, spec={"pod_selector": {}}, opts=opts)
        k8s.core.v1.ConfigMap(f"{cluster}-config", metadata=sample, data={"exported": self.exported}, opts=opts)
        k8s.rbac.v1.ClusterRoleBinding(
            f"{cluster}-binding",
            metadata={"name": "reader"},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self.role},
            subjects=[{"kind": "ServiceAccount", "name": "reader", "namespace": "sample"}],
            opts=opts,
        )
        labels = {"app": "istiod"}
        k8s.apps.v1.Deployment(
            f"{cluster}-istiod",
            metadata={"name": "istiod", "namespace": "istio-system"},
            spec={
                "selector": {"match_labels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "discovery", "image": self.image}]},
                },
            },
            opts=opts,
        )
        k8s.core.v1.Service(
            f"{cluster}-eastwest",
            metadata={"name": "istio-eastwestgateway", "namespace": "istio-system"},
            spec={"type": "LoadBalancer", "ports": [{"port": 15443}], "load_balancer_source_ranges": self.ranges},
            opts=opts,
        )
        weight = self.weight if cluster == "west" else 10
        routes = [
            {"destination": {"host": HOST, "subset": "v1"}, "weight": 90},
            {"destination": {"host": HOST, "subset": self.subset}, "weight": weight},
        ]
        subsets = [{"name": version, "labels": {"version": version}} for version in ("v1", "v2")]
        policy = {"trafficPolicy": self.traffic_policy} if self.traffic_policy else {}
        for kind, spec in (
            ("VirtualService", {"hosts": [HOST], "http": [{"route": routes}]}),
            ("DestinationRule", {"host": HOST, "subsets": subsets, **policy}),
        ):
            k8s.apiextensions.CustomResource(
                f"{cluster}-{kind}",
                api_version="networking.istio.io/v1",
                kind=kind,
                metadata=sample,
                spec=spec,
                opts=opts,
            )


CLEAN = Program(ranges=RANGES, isolated=True, traffic_policy={**FAILOVER, "outlierDetection": {}})


@dataclass(frozen=True, kw_only=True)
class Run:
    """The result of a preview."""

    passed: bool
    output: str
    violations: Sequence[automation.events.PolicyEvent]

    def broken(self, level: str) -> set[str]:
        """Return the names of the policies of a level that have violations."""
        return {found.policy_name for found in self.violations if found.enforcement_level == level}


Preview = Callable[..., Run]


@pytest.fixture
def preview(tmp_path: Path) -> Preview:
    """Return a function that previews a program with the pack. The backend consists of files."""

    def run(program: Callable[[Path], None], config: Mapping[str, Any] | None = None) -> Run:
        environment = {
            "PATH": os.environ["PATH"],
            "PULUMI_BACKEND_URL": f"file://{tmp_path}",
            "PULUMI_CONFIG_PASSPHRASE": "of this test alone",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        options = automation.LocalWorkspaceOptions(pulumi_home=str(tmp_path / "home"), env_vars=environment)
        stack = automation.create_or_select_stack("test", "policies", program=lambda: program(tmp_path), opts=options)
        config_file = tmp_path / "policies.json"
        config_file.write_text(json.dumps(config or {}))
        events: list[automation.EngineEvent] = []
        said: list[str] = []
        passed = True
        try:
            stack.preview(
                policy_packs=[str(ROOT / "policies")],
                policy_pack_configs=[str(config_file)],
                on_event=events.append,
                on_output=said.append,
                on_error=said.append,
            )
        except automation.CommandError:
            passed = False
        violations = [event.policy_event for event in events if event.policy_event]
        return Run(passed=passed, output="\n".join(said), violations=violations)

    return run


def test_a_program_that_keeps_to_every_rule_passes(preview: Preview) -> None:
    """The pack reports nothing."""
    run = preview(CLEAN.run)
    assert run.passed, run.output
    assert run.violations == []


def test_a_program_that_breaks_rules_is_stopped_and_told_how_to_mend_each(preview: Preview) -> None:
    """The preview stops the run before anything changes."""
    key = pems.key_pem(pems.make_key())
    program = Program(
        weight=20,
        subset="v3",
        image="gcr.io/istio-release/pilot:1.20.0",
        role="cluster-admin",
        exported=key,
        traffic_policy=FAILOVER,
        identifies_third=False,
        protected=False,
        validity_hours=87601,
    )
    run = preview(program.run)
    assert not run.passed
    assert run.broken("mandatory") == BROKEN, run.output
    assert run.broken("advisory") == ADVISED
    messages = [found.message for found in run.violations]
    assert [message for message in messages if "To fix it, " not in message] == []
    assert "To fix it, give each destination of the route a whole number from 0 to 100" in run.output
    assert [line for line in pems.secret_lines(key) if line in "".join(messages)] == []


def test_the_default_provider_is_refused(preview: Preview) -> None:
    """The policy recognizes the name that the engine gives that provider."""
    run = preview(lambda _: named_namespace())
    assert not run.passed
    assert run.broken("mandatory") == {"mcsps-kubernetes-explicit-provider"}, run.output


def named_namespace() -> None:
    """A resource without an explicit provider."""
    k8s.core.v1.Namespace("sample", metadata={"name": "sample"})


def test_what_is_not_known_at_a_preview_breaks_no_rule(preview: Preview) -> None:
    """An unknown value does not stop a rule either: the engine reports no failed rule."""

    def program(folder: Path) -> None:
        later = tls.PrivateKey("later", algorithm="ECDSA", ecdsa_curve="P256").id
        policy = {**FAILOVER, "outlierDetection": later.apply(lambda _: {})}
        replace(
            CLEAN,
            weight=later.apply(len),
            subset=later,
            image=later,
            exported=later,
            traffic_policy=policy,
            ranges=[later],
        ).run(folder)

    run = preview(program)
    assert run.passed, run.output
    assert run.violations == []


def test_a_policy_config_sets_levels_and_parameters(preview: Preview) -> None:
    """The config has an entry for each policy."""
    program = replace(CLEAN, isolated=False, protected=False)
    config = {
        "mcsps-namespaces-network-policy": "mandatory",
        "mcsps-root-ca-protected": "disabled",
        "mcsps-root-ca-validity": {"enforcementLevel": "advisory", "maxRootValidityHours": 1},
    }
    run = preview(program.run, config)
    assert not run.passed
    assert run.broken("mandatory") == {"mcsps-namespaces-network-policy"}
    assert run.broken("advisory") == {"mcsps-root-ca-validity"}
    assert "allowed is a number from 1 to 1." in run.output


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"maxRootValidityHours": "a decade"}, "maxRootValidityHours: Invalid type. Expected: integer, given: string"),
        ({"maxRootValidtyHours": 1}, "unknown parameter 'maxRootValidtyHours'; did you mean 'maxRootValidityHours'?"),
    ],
)
def test_a_policy_config_that_cannot_work_is_refused(
    preview: Preview, parameters: Mapping[str, Any], error: str
) -> None:
    """The engine reports a value of a wrong type, and the pack an unknown parameter."""
    run = preview(CLEAN.run, {"mcsps-root-ca-validity": parameters})
    assert not run.passed
    assert error in run.output
