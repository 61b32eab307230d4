"""Whether clusters are equal where the mesh needs it."""

from collections.abc import Iterator, Mapping

from mesh import names
from ops.verify.check import REFRESH, Cause, Check, CheckState, Result, Subject
from ops.verify.checks.service_present import SERVICE
from ops.verify.differences import Difference, Surface, differences, surface
from ops.verify.facts import Fact, Inspection, MeshFacts

_SHOWN = 4
"""So many differences are shown; the others are counted."""

CLUSTERS_DIFFER = Cause(
    name="clusters differ",
    meaning=(
        "A namespace, a Service's ports or a route is not the same in every cluster, so an answer depends on where the "
        "request starts."
    ),
    remedy=(
        f"{REFRESH} makes the stack's objects in namespace {names.APP_NAMESPACE} equal again. Any other object belongs "
        "in every cluster or in none"
    ),
    rank=40,
    of_mesh=True,
)


def _read(inspection: Inspection) -> Surface:
    return surface(inspection.api.shared(names.APP_NAMESPACE))


_EMPTY: Surface = {}
SURFACE: Fact[Surface] = Fact(name="shared", read=_read, unknown=_EMPTY)


def _evaluate(subject: Subject) -> Iterator[Result]:
    found = _differences(subject.mesh)
    own = [difference for difference in found if difference.cluster == subject.cluster.name]
    yield Result(
        state=CheckState.of(passed=not own),
        seen=_summary(own, 1) or "as in every cluster that was seen",
        cause=CLUSTERS_DIFFER if own else None,
        evidence=_summary(found, _SHOWN),
    )


def _differences(mesh: MeshFacts) -> list[Difference]:
    """Compare the clusters that were read, but for an absent Service helloworld, which is a cause of its own."""
    known = [cluster for cluster in mesh.clusters if cluster.knows(SURFACE)]
    surfaces: Mapping[str, Surface] = {cluster.name: cluster.get(SURFACE) for cluster in known}
    service = f"Service {names.APP_NAMESPACE}/{names.HELLOWORLD}"
    is_absent = any(not cluster.get(SERVICE).present for cluster in known)
    return [found for found in differences(surfaces) if not (is_absent and found.place == service)]


def _summary(found: list[Difference], shown: int) -> str:
    more = f"; and {len(found) - shown} more" if len(found) > shown else ""
    return "; ".join(map(str, found[:shown])) + more


CHECK = Check(
    id="sameness",
    meaning="Injection, the ports of Services, and routing are as in the peers.",
    order=60,
    column="same",
    needs=(SURFACE,),
    uses=(SERVICE,),
    evaluate=_evaluate,
    causes=(CLUSTERS_DIFFER,),
)
