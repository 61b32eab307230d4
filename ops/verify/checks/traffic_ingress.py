"""Whether requests through an ingress gateway are answered as the weight says."""

from collections.abc import Iterable

from mesh import names
from ops.traffic.source import TrafficSource
from ops.verify import traffic
from ops.verify.check import Check, Result, Subject
from ops.verify.facts import Fact, Inspection


def _read(inspection: Inspection) -> tuple[str, ...]:
    service = inspection.api.service(names.ISTIO_NAMESPACE, names.INGRESS_GATEWAY)
    return service.addresses if service else ()


_NO_ADDRESSES: tuple[str, ...] = ()
INGRESS = Fact(name="ingress", read=_read, unknown=_NO_ADDRESSES)
"""The addresses of the ingress gateway."""


def _evaluate(subject: Subject) -> Iterable[Result]:
    return traffic.evaluate(subject, TrafficSource.INGRESS)


CHECK = Check(
    id="traffic-ingress",
    meaning="Every request through the ingress gateway is answered, with the versions in the configured shares.",
    order=130,
    uses=(INGRESS,),
    evaluate=_evaluate,
    hint="Read the ingress gateway's log",
)
