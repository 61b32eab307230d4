"""The date of the tests, and a double of Rancher that has all clusters of a config."""

from collections.abc import Mapping
from datetime import UTC, datetime

from config.preflight.rancher import Query

TODAY = datetime(2026, 11, 23, tzinfo=UTC)


def find_by_config(query: Query) -> Mapping[str, str]:
    """Return Rancher's id of each cluster: the one in the config, else one derived from the name."""
    return {name: cluster.id or f"c-{name}" for name, cluster in query.clusters.items()}
