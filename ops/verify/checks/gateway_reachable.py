"""Whether the peers reach a cluster's east-west gateway."""

from collections.abc import Iterator
from dataclasses import replace

from mesh import names
from ops.verify import trust
from ops.verify.check import REFRESH, Cause, Check, CheckState, Result, Subject
from ops.verify.checks.deployments_scaled import SCALED, scaled
from ops.verify.checks.service_present import SERVICE
from ops.verify.gateways import GATEWAY, GatewayFacts, Reachability, reachability

GATEWAY_UNREACHABLE = Cause(
    name="east-west gateway unreachable",
    meaning=(
        f"A peer's pods get no connection to the east-west address on port {names.CROSS_NETWORK_PORT}, or get no "
        "further."
    ),
    remedy=(
        f"Check that {names.EASTWEST_GATEWAY} has ready pods, that its Service has an address and leads to port "
        f"{names.CROSS_NETWORK_PORT}, and that Gateway {names.CROSS_NETWORK_GATEWAY} exists: {REFRESH} restores them. "
        f"Firewalls must allow port {names.CROSS_NETWORK_PORT} from every peer"
    ),
    rank=60,
)


def _evaluate(subject: Subject) -> Iterator[Result]:
    gateway, found = subject.cluster.get(GATEWAY), reachability(subject.mesh, subject.cluster)
    is_absent = subject.cluster.knows(SERVICE) and not subject.cluster.get(SERVICE).present
    if trust.distrust(subject.mesh) or is_absent:
        # To a sidecar, a refused certificate and an unknown Service look like a refused connection.
        found = replace(found, barred=())
    state, seen, problem = _judge(gateway, found)
    scaled_here = scaled(subject.cluster, names.EASTWEST_GATEWAY)
    shown = f"{gateway.workload or 'no Deployment'}, address {', '.join(gateway.addresses) or 'none'}"
    yield Result(
        state=state,
        seen=f"{shown}, {seen}" if seen else shown,
        cause=GATEWAY_UNREACHABLE if problem and not scaled_here else None,
        evidence=problem,
        depends_on=scaled_here,
    )


def _judge(gateway: GatewayFacts, found: Reachability) -> tuple[CheckState, str, str]:
    """Return the state, what the peers found, and what is wrong with the gateway."""
    if not gateway.workload or not gateway.workload.ready:
        return CheckState.FAILED, "", "no ready pod"
    if not gateway.addresses:
        return CheckState.FAILED, "", "its Service has no address"
    if found.unreached:
        unreached = "; ".join(found.unreached)
        return CheckState.FAILED, unreached, unreached
    connections = "; ".join(found.doubtful) or f"reached from {', '.join(found.reached)}"
    if found.barred:
        problem = f"it takes connections, and lets none through of the sidecars of {', '.join(found.barred)}"
        return CheckState.FAILED, f"{connections}, but {problem}", problem
    if not found.reached:
        return CheckState.SKIPPED, "tried by no peer", ""
    return CheckState.WARNING if found.doubtful else CheckState.PASSED, connections, ""


CHECK = Check(
    id="gateway-reachable",
    meaning="The east-west gateway has ready pods and an address, and the peers' client pods connect to it.",
    order=70,
    column="east-west",
    needs=(GATEWAY,),
    uses=(SCALED, SERVICE),
    evaluate=_evaluate,
    causes=(GATEWAY_UNREACHABLE,),
)
