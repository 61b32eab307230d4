"""The lab's two stack files: the same mesh, with a different access to the clusters."""

import yaml

from config.parsing import parse
from config.schema import Credential, RancherAccess
from tests.support import pems
from tests.support.stacks import LAB, ROOT, load_values

BY_RANCHER = "lab-rancher"


def test_the_stack_by_rancher_says_what_the_other_says_but_for_the_access() -> None:
    """A stack file cannot include another, so both files contain the common values."""
    one, other = load_values(LAB), load_values(BY_RANCHER)
    assert other.pop("rancher")["url"].startswith("https://")
    accesses = [[cluster.pop("access") for cluster in values["clusters"]] for values in (one, other)]
    assert one == other
    assert [{access["kind"] for access in each} for each in accesses] == [{"kubeconfig"}, {"rancher"}]
    files = [yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"] for name in (LAB, BY_RANCHER)]
    assert files[0].keys() == files[1].keys() - {"mcsps:rancher"}


def test_its_clusters_are_named_by_id_and_by_name_and_peers_come_with_ranchers_tokens() -> None:
    """The tests on real clusters therefore use both kinds of reference."""
    values = load_values(BY_RANCHER)
    values["rancher"]["caCerts"] = pems.make_root(pems.make_key())
    clusters = parse(values).clusters
    accesses = [cluster.access for cluster in clusters if isinstance(cluster.access, RancherAccess)]
    assert [(access.cluster_id, access.cluster_name) for access in accesses] == [("c-lab01", None), (None, "west")]
    assert {cluster.credential for cluster in clusters} == {Credential.RANCHER_TOKEN}
