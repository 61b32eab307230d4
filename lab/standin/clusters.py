"""The program's Kubernetes providers, and the connections to their clusters."""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeAlias

from errors import UserError
from lab.standin import lab_network, references
from lab.standin.cluster import ClusterApi, UnreachableError
from recorder.values import has_unknown, reveal

if TYPE_CHECKING:
    from lab.standin.cluster import ObjectIdentity
    from lab.standin.state import Entry, State
    from recorder.registrations import Registration
    from recorder.values import Properties

Place: TypeAlias = tuple[str, tuple[str, str, str | None, str]]
"""One object on one cluster, independent of resource, provider and API version."""

TYPE: Final = "pulumi:providers:kubernetes"
_INPUTS: Final = frozenset(
    {
        "clusterIdentifier",
        "deleteUnreachable",
        "enableConfigMapMutable",
        "enablePatchForce",
        "enableSecretMutable",
        "enableServerSideApply",
        "kubeClientSettings",
        "kubeconfig",
        "namespace",
        "skipUpdateUnreachable",
        "suppressDeprecationWarnings",
        "suppressHelmHookWarnings",
        "upsertExistingObjects",
    }
)
_ALWAYS: Final = ("enableConfigMapMutable", "enableSecretMutable", "enableServerSideApply")
"""Inputs that are supported only as true."""
_NO_PROVIDER: Final = "it has no explicit provider, and there is no default one"


class Clusters:
    """The connections by provider; safe to use from several threads."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._inputs: dict[str, Properties] = {}
        self._before: dict[str, Properties] = {}
        self._clusters: dict[str, ClusterApi | None] = {}
        self._lock = Lock()

    def add(self, provider: Registration, before: Entry | None) -> None:
        """
        Register a provider, whose inputs replace those from `before`.

        Raises:
            UserError: An input is not supported, or the provider is for another cluster than before.
        """
        if unknown := sorted(set(provider.inputs) - _INPUTS):
            raise UserError(f"{provider.name}: {', '.join(unknown)} is not supported by the stand-in")
        if refused := [name for name in _ALWAYS if provider.inputs.get(name, "true") != "true"]:
            raise UserError(f"{provider.name}: {', '.join(refused)} must be true with the stand-in")
        identifiers = {inputs.get("clusterIdentifier") for inputs in (provider.inputs, before.inputs if before else {})}
        if before is not None and len(identifiers) > 1:
            raise UserError(
                f"{provider.name}: clusterIdentifier has changed, so Pulumi would replace the provider and every "
                "object behind it; the stand-in does not plan such a replacement",
                "Destroy the stack first",
            )
        with self._lock:
            self._inputs[provider.urn] = provider.inputs
            self._before[provider.urn] = before.inputs if before else {}
            self._clusters.pop(provider.urn, None)

    def of(self, reference: str | None) -> ClusterApi | None:
        """
        Return the cluster of the provider `<urn>::<id>` or `<urn>`; None while its kubeconfig is unknown.

        If a preview does not know the kubeconfig yet, it uses the last one, as long as that one is valid.

        Raises:
            UnreachableError: The provider's kubeconfig is no kubeconfig.
            UserError: The provider is missing or not usable, or its cluster is not in the lab.
        """
        if reference is None:
            raise UserError(_NO_PROVIDER)
        urn = references.urn_of(reference)
        inputs = self._inputs_of(urn)
        if "kubeconfig" not in inputs:
            raise UserError(f"the provider {urn} has no kubeconfig")
        with self._lock:
            if urn not in self._clusters:
                is_known = not has_unknown(inputs)
                self._clusters[urn] = self._connect(urn, inputs) if is_known else self._connect_as_before(urn, inputs)
            return self._clusters[urn]

    def _connect(self, urn: str, inputs: Properties) -> ClusterApi:
        forces_conflicts = inputs.get("enablePatchForce") == "true"
        cluster = ClusterApi(urn.rpartition("::")[2], reveal(inputs["kubeconfig"]), forces_conflicts=forces_conflicts)
        lab_network.require(f"cluster {cluster.name}: its API server", cluster.server)
        return cluster

    def _connect_as_before(self, urn: str, inputs: Properties) -> ClusterApi | None:
        before = self._before.get(urn, {})
        if "kubeconfig" not in before:
            return None
        try:
            cluster = self._connect(urn, {**inputs, "kubeconfig": before["kubeconfig"]})
        except UnreachableError:
            return None
        return cluster if cluster.answers() else None

    def is_unreachable(self, reference: str | None) -> bool:
        """
        Return whether the provider's kubeconfig is no kubeconfig; no request is sent.

        Raises:
            UserError: The provider is missing or not usable, or its cluster is not in the lab.
        """
        try:
            self.of(reference)
        except UnreachableError:
            return True
        return False

    def place(self, reference: str | None, identity: ObjectIdentity) -> Place:
        """
        Return the place of an object. Two providers with the same `clusterIdentifier` are the same cluster.

        Raises:
            UserError: The provider is missing or not usable.
        """
        if reference is None:
            raise UserError(_NO_PROVIDER)
        identifier = self._inputs_of(references.urn_of(reference)).get("clusterIdentifier")
        if not identifier:
            cluster = None if self.is_unreachable(reference) else self.of(reference)
            identifier = cluster.server if cluster else references.urn_of(reference)
        return identifier, identity.key

    def adopts(self, reference: str) -> bool:
        """Return whether a provider adopts existing objects."""
        return self._is_on("upsertExistingObjects", reference)

    def namespace_of(self, reference: str | None) -> str:
        """Return the provider's namespace for objects without one."""
        return (
            str(self._inputs_of(references.urn_of(reference)).get("namespace", "default")) if reference else "default"
        )

    def may_be_gone(self, reference: str) -> bool:
        """Return whether an unreachable cluster counts as deleted, by the provider or by Pulumi's variable."""
        return os.environ.get("PULUMI_K8S_DELETE_UNREACHABLE") == "true" or self._is_on("deleteUnreachable", reference)

    def skips_unreachable(self, reference: str | None) -> bool:
        """Return whether objects of an unreachable cluster stay as they are in the state."""
        return reference is not None and self._is_on("skipUpdateUnreachable", reference)

    def _is_on(self, name: str, reference: str) -> bool:
        return bool(self._inputs_of(references.urn_of(reference)).get(name) == "true")

    def _inputs_of(self, urn: str) -> Properties:
        with self._lock:
            return references.inputs_of(urn, self._inputs, self._state)
