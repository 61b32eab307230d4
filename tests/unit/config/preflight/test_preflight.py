"""The facts that the program collects before it changes anything."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pulumi
import pytest

from config import preflight
from config.loader import load
from config.preflight import LookUp
from config.preflight.clusters import Ask, ClusterFacts, ClusterQuery
from config.preflight.rancher import Query
from errors import UserError
from tests.support import pems
from tests.support.preflight import TODAY, answer, find_by_config
from tests.support.recording import RecordingMonitor
from tests.support.runs import Runs
from tests.support.stacks import LAB, RANCHER, Stack, load_values

RANCHER_URL = load_values(RANCHER)["rancher"]["url"]


def run(
    stack: Stack, look_up: LookUp = find_by_config, now: datetime = TODAY, ask: Ask = answer
) -> preflight.Preflight:
    """Collect the facts that a stack's config does not contain."""
    found: list[preflight.Preflight] = []

    def body() -> None:
        settings, secrets = load(pulumi.Config())
        found.append(preflight.run(settings, secrets, now, look_up, ask))

    stack.run_on(RecordingMonitor(preview=False, stack=stack.name), body)
    return found[0]


def test_rancher_is_asked_for_what_the_config_says_of_it(runs: Runs) -> None:
    """The check runs before any registration, and its error names the key that the user must fix."""
    asked: list[Query] = []

    def refuse(query: Query) -> Mapping[str, str]:
        asked.append(query)
        raise UserError("nobody is there", key="mcsps:rancher.url")

    with pytest.raises(UserError, match=r"^mcsps:rancher\.url: nobody is there$"):
        run(runs.stack(RANCHER), refuse)
    (query,) = asked
    assert (query.url, query.token_ttl_hours, query.creates_users) == (RANCHER_URL, 720, True)
    assert {name: (it.key, it.id, it.name) for name, it in query.clusters.items()} == {
        "mcsps-test-k8s-01": ("mcsps:clusters[0].access", "c-f7r9g", None),
        "mcsps-test-k8s-02": ("mcsps:clusters[1].access", "c-pzk8b", None),
    }
    run(runs.stack(LAB), refuse)
    assert len(asked) == 1


def test_a_root_that_has_ended_is_refused(runs: Runs) -> None:
    """The error names the key and the dates of the root's validity. A root that expires tomorrow is a warning."""
    key = pems.make_key()
    lab = runs.stack(LAB)
    stack = Stack(
        name=LAB,
        values={**lab.values, "trust": {"rootCertificate": pems.make_root(key)}},
        secrets={"rootPrivateKey": pems.key_pem(key)},
    )
    found = run(stack)
    assert (found.now, found.notes) == (TODAY, ())
    (note,) = run(stack, now=pems.END - timedelta(days=1)).notes
    assert note.startswith(f"mcsps:trust.rootCertificate: ends on {pems.END:%Y-%m-%d} ")
    with pytest.raises(UserError, match=r"^mcsps:trust\.rootCertificate: is valid from .* so it is not valid now"):
        run(stack, now=pems.END)


def test_every_cluster_of_a_run_sees_the_same_time(runs: Runs) -> None:
    """At midnight, two readings of the clock would rotate the tokens of one cluster and not those of the other."""
    assert run(runs.stack(RANCHER)).now is TODAY


def asked_of(stack: Stack) -> list[ClusterQuery]:
    """Return the queries of clusters for a stack."""
    asked: list[ClusterQuery] = []

    def keep(queries: Sequence[ClusterQuery]) -> Mapping[str, ClusterFacts]:
        asked.extend(queries)
        return answer(queries)

    run(stack, ask=keep)
    return asked


def put_away(stack: Stack, *, index: int = 1) -> Stack:
    """Return the stack with one cluster away, and all traffic on the version that the other one serves."""
    clusters = [
        {**cluster, "versions": ["v1", "v2"], "away": number == index}
        for number, cluster in enumerate(stack.values["clusters"])
    ]
    return stack.changed(clusters=clusters)


def test_each_cluster_is_asked_by_its_kubeconfig(runs: Runs) -> None:
    """An error names the cluster by its index in the config."""
    stack = runs.stack(LAB)
    queries = asked_of(stack)
    assert [(query.name, query.key) for query in queries] == [
        ("east", "mcsps:clusters[0]"),
        ("west", "mcsps:clusters[1]"),
    ]
    paths = [Path(cluster["access"]["path"]) for cluster in stack.values["clusters"]]
    assert [query.kubeconfig for query in queries] == [path.read_text() for path in paths]


def test_a_cluster_behind_rancher_is_asked_through_ranchers_proxy(runs: Runs) -> None:
    """The query uses the token of the config, because the program's own tokens may not exist yet."""
    stack = runs.stack(RANCHER)
    query = asked_of(stack)[0]
    assert f"server: {RANCHER_URL}/k8s/clusters/c-f7r9g" in query.kubeconfig
    assert stack.secrets["rancherToken"] in query.kubeconfig
    assert stack.secrets["rancherToken"] not in repr(query)


@pytest.mark.parametrize("name", [LAB, RANCHER])
def test_a_cluster_that_is_away_is_not_asked(runs: Runs, name: str) -> None:
    """The cluster would not answer. Only its id is queried, from Rancher."""
    stack = put_away(runs.stack(name))
    assert [query.key for query in asked_of(stack)] == ["mcsps:clusters[0]"]
    assert run(stack).clusters.keys() == {stack.values["clusters"][0]["name"]}
    away: list[bool] = []

    def look_up(query: Query) -> Mapping[str, str]:
        away.extend(cluster.is_away for cluster in query.clusters.values())
        return find_by_config(query)

    run(stack, look_up)
    assert away == ([] if name == LAB else [False, True])
