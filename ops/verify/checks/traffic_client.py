"""Whether requests from a client pod are answered as the weight says."""

from collections.abc import Iterable

from ops.traffic.source import TrafficSource
from ops.verify import traffic
from ops.verify.check import Check, Result, Subject


def _evaluate(subject: Subject) -> Iterable[Result]:
    return traffic.evaluate(subject, TrafficSource.CLIENT)


CHECK = Check(
    id="traffic-client",
    meaning="Every request from the client pod is answered, with the versions in the configured shares.",
    order=140,
    evaluate=_evaluate,
    hint="Read the log of the client pod's sidecar",
)
