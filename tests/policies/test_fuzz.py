"""No rule raises for any object. With `--hypothesis-profile thorough`, each test runs 2000 examples."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from policies.rules import POLICIES
from tests.support import schema_shapes
from tests.support.bad_config import places, put
from tests.support.policies import EAST, WEST, Made, Provider, from_data, judge_pack
from tests.support.stacks import ROOT

FOLDER = Path(__file__).with_name("clean_stacks")
COMPONENT = "mcsps:index:MeshLink"


def _resources(text: str) -> Iterator[Mapping[str, Any]]:
    """Return the resources in a file, which holds a list or the lists of an example."""
    document = yaml.safe_load(text)
    yield from chain.from_iterable(document.values()) if isinstance(document, dict) else document


PROVIDERS = st.sampled_from(
    [EAST, WEST, None, Provider(name="default"), Provider(name="x", inputs=dict.fromkeys("ab"))]
)
KINDS: dict[str, SearchStrategy[dict[str, Any]]] = {
    **{f"kubernetes:{kind}": schema_shapes.kubernetes_object(kind) for kind in schema_shapes.KUBERNETES},
    **{f"kubernetes:{kind}": schema_shapes.istio_object(kind) for kind in schema_shapes.ISTIO},
}
KEYS: Mapping[str, tuple[str, ...]] = {
    "kubernetes:helm.sh/v3:Release": ("chart", "version", "namespace", "repositoryOpts", "values", "valueYamlFiles"),
    "kubernetes:sailoperator.io/v1:Istio": ("metadata", "spec"),
    "kubernetes:install.istio.io/v1alpha1:IstioOperator": ("metadata", "spec"),
    "kubernetes:cilium.io/v2:CiliumNetworkPolicy": ("metadata", "spec", "specs"),
    "pulumi:providers:kubernetes": ("kubeconfig", "clusterIdentifier", "context"),
    "pulumi:pulumi:Stack": ("clusters", "users"),
    "rancher2:index/clusterRoleTemplateBinding:ClusterRoleTemplateBinding": ("roleTemplateId", "userId"),
    "rancher2:index/customUserToken:CustomUserToken": ("username", "clusterId", "ttl"),
    "rancher2:index/globalRole:GlobalRole": ("id", "rules", "inheritedClusterRoles"),
    "rancher2:index/roleTemplate:RoleTemplate": ("id", "rules", "externalRules", "roleTemplateIds"),
    "rancher2:index/user:User": ("id", "username"),
    "tls:index/selfSignedCert:SelfSignedCert": ("isCaCertificate", "validityPeriodHours", "earlyRenewalHours"),
}
"""Types without a schema in this folder, with the properties that rules read."""


SEEDS = [
    from_data(given)
    for file in sorted((*(ROOT / "policies" / "examples").glob("*.yaml"), *FOLDER.glob("*.yaml")))
    for given in _resources(file.read_text())
]
"""The resources of the rules' examples and of the clean stacks."""


@st.composite
def of_schema(draw: DrawFn) -> Made:
    """Return a resource in the shape of its schema."""
    type_ = draw(st.sampled_from(sorted({*KINDS, *KEYS})))
    if type_ in KINDS:
        inputs = draw(KINDS[type_])
    else:
        inputs = draw(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS[type_], schema_shapes.WILD)))
    name, under = draw(st.sampled_from("abc")), draw(st.sampled_from(["", COMPONENT]))
    return Made(type=type_, name=name, inputs=inputs, provider=draw(PROVIDERS), under=under)


@st.composite
def of_a_stack(draw: DrawFn) -> Made:
    """Return a resource that stacks have, with some values of any shape."""
    made = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 3))):
        known = list(places(made.inputs))
        if known:
            made = replace(made, inputs=put(made.inputs, draw(st.sampled_from(known)), draw(schema_shapes.WILD)))
    return replace(made, under=draw(st.sampled_from([made.under, COMPONENT])), protect=draw(st.booleans()))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(resources=st.lists(of_schema() | of_a_stack(), min_size=1, max_size=5))
def test_no_rule_raises_for_any_shape(resources: list[Made]) -> None:
    """Each finding names its object in one line."""
    for found in judge_pack(POLICIES, *resources):
        assert "\nTo fix it, " in found.message
