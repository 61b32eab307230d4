"""No rule ever raises, whatever the objects are; run it with `--hypothesis-profile thorough` for 2000 examples."""

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from policies.rules import POLICIES
from tests.support import schema_shapes
from tests.support.policies import EAST, WEST, Made, Provider, judge_pack

COMPONENT = "mcsps:index:MeshLink"
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
"""Types without a schema here, with the properties that rules read."""


@st.composite
def made(draw: DrawFn) -> Made:
    """Return a resource of any kind on which a rule has an opinion."""
    type_ = draw(st.sampled_from(sorted({*KINDS, *KEYS})))
    if type_ in KINDS:
        inputs = draw(KINDS[type_])
    else:
        inputs = draw(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS[type_], schema_shapes.WILD)))
    name, under = draw(st.sampled_from("abc")), draw(st.sampled_from(["", COMPONENT]))
    return Made(type=type_, name=name, inputs=inputs, provider=draw(PROVIDERS), under=under)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(resources=st.lists(made(), min_size=1, max_size=4))
def test_no_rule_raises_for_any_shape(resources: list[Made]) -> None:
    """And each finding says in one line what it is about."""
    for found in judge_pack(POLICIES, *resources):
        assert "\nTo fix it, " in found.message
