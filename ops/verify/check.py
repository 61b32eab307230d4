"""What a check of `verify` is: a description, the facts that it reads, and a judgement of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from config.schema import Settings
from ops.verify.facts import ClientFacts, ClusterFacts, Fact, MeshFacts

Place = tuple[str | None, str | None]
"""A cluster and its peer: a link; without a peer, a cluster; without both, the whole mesh."""
WHOLE_MESH: Place = (None, None)
REFRESH = "`pulumi up --refresh`"
"""Without a refresh Pulumi compares the program with its state alone, and keeps what was changed in a cluster."""

_READ_REMEDY = "Check that this stack's credential may read it in that cluster"


class CheckState(StrEnum):
    """How a check ended; `warning` and `skipped` do not fail the whole."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"

    @classmethod
    def of(cls, *, passed: bool) -> "CheckState":
        """Return whether a check passed or failed."""
        return cls.PASSED if passed else cls.FAILED


@dataclass(frozen=True, kw_only=True, eq=False)
class Cause:
    """
    Why clusters that are installed do not answer each other.

    Attributes:
        name: Its text in the report, which never changes.
        meaning: What is wrong, and what follows from it.
        remedy: What to do about it, in one line.
        rank: The causes with the lowest are the most fundamental, and are shown first.
        of_mesh: Whether it belongs to the mesh as a whole, and not to the cluster or link that shows it.
    """

    name: str
    meaning: str
    remedy: str
    rank: int
    of_mesh: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """
    What a check concludes of one cluster, or of one link of it.

    Attributes:
        seen: What was found.
        peer: The other end of the link.
        cause: The cause that a failure shows.
        evidence: What shows the cause.
        depends_on: The places whose causes explain a failure without a cause of its own; `None` for all of the mesh.
        remedy: What to do about a failure, in place of the remedy of its cause or of the check's hint.
    """

    state: CheckState
    seen: str
    peer: str | None = None
    cause: Cause | None = None
    evidence: str = ""
    depends_on: frozenset[Place] | None = frozenset()
    remedy: str | None = None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a check evaluates: the facts of one cluster, within its mesh, and what config wants."""

    cluster: ClusterFacts
    mesh: MeshFacts
    settings: Settings

    @property
    def client(self) -> ClientFacts | None:
        """What the cluster's client pod saw; `None` where nothing can be said of it."""
        client = self.mesh.clients.get(self.cluster.name)
        return None if client is None or client.error else client

    @property
    def peers(self) -> tuple[ClusterFacts, ...]:
        """The other clusters."""
        return tuple(cluster for cluster in self.mesh.clusters if cluster is not self.cluster)


def unless_unread(result: Result, cluster: ClusterFacts, *facts: Fact[Any]) -> Result:
    """Return a result, or a failure without a cause where a fact that it needs could not be read."""
    reasons = [cluster.read_errors[fact] for fact in facts if fact in cluster.read_errors]
    if not reasons:
        return result
    seen = f"could not be read: {'; '.join(reasons)}"
    return replace(result, state=CheckState.FAILED, seen=seen, cause=None, evidence="", remedy=_READ_REMEDY)


@dataclass(frozen=True, kw_only=True)
class Check:
    """
    One check.

    Attributes:
        id: Its name in the report, which never changes.
        meaning: What holds where it passes.
        order: Its place among the checks of a cluster.
        column: Its header in the table of clusters; empty without a column.
        needs: The facts of the cluster without which its results fail, but for those of links.
        uses: Further facts that it reads; where they are unknown, it judges the rest.
        evaluate: Judges the facts.
        causes: The causes that it can show.
        hint: What to look at where it fails without a cause.
        is_gate: Whether nothing else of a cluster can be evaluated where it fails.
    """

    id: str
    meaning: str
    order: int
    evaluate: Callable[[Subject], Iterable[Result]]
    column: str = ""
    needs: tuple[Fact[Any], ...] = ()
    uses: tuple[Fact[Any], ...] = ()
    causes: tuple[Cause, ...] = ()
    hint: str = ""
    is_gate: bool = False
