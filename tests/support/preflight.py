"""The date of the tests, and doubles of Rancher and of clusters that answer for all clusters of a config."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from config.preflight.clusters import ClusterFacts, ClusterQuery
from config.preflight.rancher import Query
from config.schema import Istio

TODAY = datetime(2026, 11, 23, tzinfo=UTC)


def find_by_config(query: Query) -> Mapping[str, str]:
    """Return Rancher's id of each cluster: the one in the config, else one derived from the name."""
    return {name: cluster.id or f"c-{name}" for name, cluster in query.clusters.items()}


def answer(queries: Sequence[ClusterQuery]) -> Mapping[str, ClusterFacts]:
    """Return the facts of clusters that all answer."""
    return {query.name: ClusterFacts(identity=f"uid of {query.name}", version="v1.31.4") for query in queries}


def find_charts(_: Istio) -> None:
    """Find the charts wherever a config says that they are."""
