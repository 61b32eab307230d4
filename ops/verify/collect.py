"""Reads the facts of one cluster through its API. Concludes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ops.cluster.calls import ApiError
from ops.verify.check import Check
from ops.verify.checks import CHECKS
from ops.verify.facts import ClusterFacts, Fact, Inspection


def collect(inspection: Inspection, checks: Sequence[Check] = CHECKS) -> ClusterFacts:
    """Read once all that the checks ask for; a fact that the API refuses is unknown, and the others are not."""
    cluster = inspection.cluster
    known = ClusterFacts(
        name=cluster.name, network=cluster.network, versions=tuple(map(str, cluster.versions)), key=inspection.key
    )
    try:
        kubernetes = inspection.api.version()
    except ApiError as error:
        return replace(known, error=str(error))
    values: dict[Fact[Any], object] = {}
    read_errors: dict[Fact[Any], str] = {}
    for fact in _facts(checks):
        try:
            values[fact] = fact.read(inspection)
        except ApiError as error:
            read_errors[fact] = str(error)
    return replace(known, kubernetes=kubernetes, values=values, read_errors=read_errors)


def _facts(checks: Iterable[Check]) -> Iterable[Fact[Any]]:
    return dict.fromkeys(fact for check in checks for fact in (*check.needs, *check.uses))
