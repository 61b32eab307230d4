"""Whether all clusters trust one root."""

from collections.abc import Iterator

from mesh import names
from ops.verify import trust
from ops.verify.check import REFRESH, Cause, Check, CheckState, Result, Subject

ROOTS_DIFFER = Cause(
    name="roots differ",
    meaning="Certificates in use, or those that istiod will issue, are signed by a root that a peer does not trust.",
    remedy=(
        f"{REFRESH} signs every cluster's intermediate CA with one root. Then restart istiod, and after it the "
        "gateways and pods whose certificates come from another root"
    ),
    rank=10,
    of_mesh=True,
)


def _evaluate(subject: Subject) -> Iterator[Result]:
    roots, distrust = subject.cluster.get(trust.ROOTS), trust.distrust(subject.mesh)
    missing = [namespace for namespace in (names.ISTIO_NAMESPACE, names.APP_NAMESPACE) if not roots.get(namespace)]
    shown = "; ".join(dict.fromkeys(map(trust.short, roots.values())))
    yield Result(
        state=CheckState.of(passed=not missing and not distrust),
        seen=f"no root certificate in {', '.join(missing)}" if missing else shown,
        cause=ROOTS_DIFFER if distrust else None,
        evidence=distrust,
    )


CHECK = Check(
    id="mesh-root",
    meaning="The pods of all clusters trust each other's certificates, now and after the next renewal.",
    order=40,
    column="root",
    needs=(trust.ROOTS, trust.CERTIFICATES),
    evaluate=_evaluate,
    causes=(ROOTS_DIFFER,),
    hint="Check whether istiod runs: it writes ConfigMap istio-ca-root-cert",
)
