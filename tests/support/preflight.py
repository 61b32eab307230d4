"""The day on which the tests run the program, and a Rancher that has all that a config names."""

from collections.abc import Mapping
from datetime import UTC, datetime

from config.preflight.rancher import Query

TODAY = datetime(2026, 11, 23, tzinfo=UTC)


def find_by_config(query: Query) -> Mapping[str, str]:
    """Rancher's id of each cluster: the config's own, else one made from the name."""
    return {name: cluster.id or f"c-{name}" for name, cluster in query.clusters.items()}
