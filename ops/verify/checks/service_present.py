"""Whether a cluster has the Service helloworld, without which clients there cannot resolve it."""

from collections.abc import Iterator
from dataclasses import dataclass

from mesh import names
from ops.verify.check import REFRESH, Cause, Check, CheckState, Result, Subject
from ops.verify.facts import Fact, Inspection

SERVICE_ABSENT = Cause(
    name="Service absent in one cluster",
    meaning=f"`{names.HELLOWORLD}` is missing in a cluster, so clients there cannot resolve it.",
    remedy=(
        f"{REFRESH} recreates Service {names.HELLOWORLD} in namespace {names.APP_NAMESPACE}. If it reports a duplicate "
        "port, another program has replaced the port: delete that Service first"
    ),
    rank=30,
)


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """The Service helloworld; `present` is false where it or its port is missing."""

    present: bool
    detail: str


def _read(inspection: Inspection) -> ServiceFacts:
    service = inspection.api.service(names.APP_NAMESPACE, names.HELLOWORLD)
    place = f"{names.APP_NAMESPACE}/{names.HELLOWORLD}"
    if service is None:
        return ServiceFacts(present=False, detail=f"there is no Service {place}")
    if names.HELLOWORLD_PORT not in service.ports:
        return ServiceFacts(present=False, detail=f"Service {place} has no port {names.HELLOWORLD_PORT}")
    return ServiceFacts(present=True, detail=f"{place}:{names.HELLOWORLD_PORT}")


SERVICE = Fact(name="service", read=_read, unknown=ServiceFacts(present=False, detail="not read"))


def _evaluate(subject: Subject) -> Iterator[Result]:
    service = subject.cluster.get(SERVICE)
    yield Result(
        state=CheckState.of(passed=service.present),
        seen=service.detail,
        cause=None if service.present else SERVICE_ABSENT,
        evidence=service.detail,
    )


CHECK = Check(
    id="service-present",
    meaning="The cluster has Service helloworld with its port.",
    order=50,
    column="Service",
    needs=(SERVICE,),
    evaluate=_evaluate,
    causes=(SERVICE_ABSENT,),
)
