"""Lists every object of a cluster, for comparisons."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from kubernetes.dynamic import DynamicClient, EagerDiscoverer
from kubernetes.dynamic.resource import ResourceList
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from lab.clusters import addons
from lab.spec import ClusterSpec

# The control plane creates and deletes these itself.
PASSING = ("APIService", "Event", "Lease")
# A chart can keep objects at its removal. Removing a CRD would delete every object of its kind, also other users'.
KEPT = ("helm.sh/resource-policy", "keep")
# istiod writes these into every namespace, including kube-system. Nothing deletes them afterwards.
LEFT_BY_ISTIOD = ("istio-ca-root-cert", "istio-ca-crl")
GONE_SECONDS = 90

Objects = Mapping[str, str]
"""The uid of every object, by `Kind.group namespace/name`."""


def held_by(spec: ClusterSpec) -> Objects:
    """Return every object of every kind, except for temporary ones and those that outlive their chart."""
    with addons.connect(spec) as api, tempfile.TemporaryDirectory() as folder:
        # The client's default file may hold the kinds of another run, but the tests change the CRDs.
        cache_file = str(Path(folder) / "kinds")
        dynamic = DynamicClient(api, cache_file=cache_file, discoverer=EagerDiscoverer)  # type: ignore[no-untyped-call]
        kinds = [
            kind
            for kind in dynamic.resources.search()
            if not isinstance(kind, ResourceList)
            and kind.preferred
            and "list" in kind.verbs
            and kind.kind not in PASSING
        ]
        return {
            f"{kind.kind}.{kind.group or 'core'} {named.namespace or ''}/{named.name}": named.uid
            for kind in kinds
            for named in (item.metadata for item in dynamic.get(kind).items)  # type: ignore[no-untyped-call]
            if KEPT not in (named.annotations or {}).items()
        }


def left_over(spec: ClusterSpec, before: Objects) -> set[str]:
    """Return the objects that a cluster did not have before, after it had time to clean up."""
    retrying = Retrying(retry=retry_if_result(bool), stop=stop_after_delay(GONE_SECONDS), wait=wait_fixed(2))
    try:
        retrying(_new, spec, before)
    except RetryError as error:
        left: set[str] = error.last_attempt.result()
        return left
    return set()


def _new(spec: ClusterSpec, before: Objects) -> set[str]:
    new = set(held_by(spec)) - set(before)
    return {name for name in new if name.rpartition("/")[2] not in LEFT_BY_ISTIOD}
