"""Whether requests reach a peer through its gateway."""

from collections.abc import Iterator

from mesh import routing
from ops.traffic import audiences
from ops.verify import gateways
from ops.verify.check import WHOLE_MESH, Check, CheckState, Result, Subject
from ops.verify.facts import ClientFacts, ClusterFacts
from ops.verify.gateways import GATEWAY


def _evaluate(subject: Subject) -> Iterator[Result]:
    client = subject.client
    for peer in subject.peers:
        if client and peer.versions and peer.knows(GATEWAY):
            yield _judge(subject, client, peer)


def _judge(subject: Subject, client: ClientFacts, peer: ClusterFacts) -> Result:
    """Expect an answer through a peer's gateway only where the peer alone runs a version that requests must get."""
    elsewhere = {version for cluster in subject.mesh.clusters if cluster is not peer for version in cluster.versions}
    weight = audiences.wanted(subject.settings, client.cluster)
    wanted = [
        version
        for version, share in routing.weights(weight).items()
        if share and version in peer.versions and version not in elsewhere
    ]
    answered = gateways.answered(client, peer)
    if answered:
        state, seen = CheckState.PASSED, f"{answered} requests answered"
    elif wanted:
        state, seen = CheckState.FAILED, f"no request answered, and {'+'.join(wanted)} runs there alone"
    else:
        state, seen = CheckState.SKIPPED, "not exercised: no request has to go there"
    link = (client.cluster, peer.name)
    places = frozenset({link, *((end, None) for end in link), WHOLE_MESH})
    return Result(state=state, seen=seen, peer=peer.name, depends_on=places)


CHECK = Check(
    id="crossing",
    meaning="Requests that only a peer can serve are answered through its east-west gateway.",
    order=120,
    column="crossing",
    uses=(GATEWAY,),
    evaluate=_evaluate,
    hint="Read the logs of the client pod's sidecar and of the peer's east-west gateway",
)
