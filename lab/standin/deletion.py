"""
Deletes resources: dependents before their dependencies, independent ones in parallel.

Admission webhooks are deleted first, because without istiod they would refuse the requests of the remaining deletions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from errors import UserError
from lab.standin import awaits
from lab.standin.cluster import UnreachableError
from lab.standin.order import run_in_order
from lab.standin.plan import Change, Step
from lab.standin.providers import rancher2
from lab.standin.providers.kubernetes import identity_in, is_object

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from lab.standin.clusters import Clusters, Place
    from lab.standin.display import Display
    from lab.standin.rancher_servers import RancherServers
    from lab.standin.state import Entry, State

_TOGETHER: Final = 12
_WEBHOOKS: Final = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


class Deletion:
    """Deletes entries of the state together with their resources."""

    def __init__(
        self,
        state: State,
        display: Display,
        clusters: Clusters,
        servers: RancherServers,
        claimed: Container[Place] = frozenset(),
    ) -> None:
        """
        Prepare a deletion.

        Args:
            state: The state that contains the entries.
            display: Shows each deletion.
            clusters: The clusters with the entries' objects.
            servers: The Rancher servers with the entries' resources.
            claimed: Objects to keep, because other resources manage them now.
        """
        self._state = state
        self._display = display
        self._clusters = clusters
        self._servers = servers
        self._claimed = claimed
        self.failures: dict[str, str] = {}
        """The error texts, by URN."""

    def run(self, targets: Mapping[str, Entry]) -> None:
        """
        Delete all of `targets`. A resource whose dependent cannot be deleted stays.

        Raises:
            UserError: A target is protected; nothing was deleted.
        """
        refuse_protected(targets)
        run_in_order(predecessors(targets), lambda urn: self._delete(targets[urn], targets), _TOGETHER)

    def reason_to_keep(self, entry: Entry) -> str:
        """
        Return why only the entry is removed and its object stays; empty if the object is deleted as well.

        Raises:
            UserError: The entry's provider is not known.
        """
        if not _is_elsewhere(entry):
            return ""
        if entry.retain_on_delete:
            return "retained: only removed from the state"
        if is_object(entry.type) and self._clusters.place(entry.provider, identity_in(entry)) in self._claimed:
            return "another resource manages it now: only removed from the state"
        return ""

    def _delete(self, entry: Entry, targets: Mapping[str, Entry]) -> bool:
        """Delete one resource; return whether that succeeded."""
        try:
            note = self.reason_to_keep(entry)
            if _is_elsewhere(entry) and not note and entry.deleted_with not in targets:
                self._delete_from_rancher(entry) if entry.type in rancher2.TYPES else self._delete_object(entry)
        except UserError as error:
            self.failures[entry.urn] = str(error)
            return False
        finally:
            self._display.settled(entry.urn)
        self._state.remove(entry.urn)
        self._display.change(Change(urn=entry.urn, step=Step.DELETE, note=note))
        return True

    def _delete_object(self, entry: Entry) -> None:
        try:
            cluster = self._clusters.of(entry.provider)
            if cluster is None:
                raise UserError("its cluster's kubeconfig is not known")
            cluster.delete(identity_in(entry))
            awaits.wait_until_gone(cluster, identity_in(entry), self._display.waiting(entry.urn))
        except UnreachableError as error:
            if not self._clusters.may_be_gone(entry.provider or ""):
                raise UserError(
                    "configured Kubernetes cluster is unreachable",
                    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the "
                    f'operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true" ({error})',
                ) from None

    def _delete_from_rancher(self, entry: Entry) -> None:
        server = self._servers.of(entry.provider)
        if server is None:
            raise UserError("its Rancher server is not known")
        rancher2.delete(entry, server, rancher2.passwords_in(self._state.entries().values()))


def refuse_protected(targets: Mapping[str, Entry]) -> None:
    """
    Refuse the deletion of protected resources.

    Raises:
        UserError: Some are protected; the message lists them.
    """
    protected = [Change(urn=urn, step=Step.DELETE).name for urn, entry in targets.items() if entry.protect]
    if protected:
        raise UserError(f"{', '.join(protected)}: protected, so nothing is deleted", "Use --unprotect to delete them")


def predecessors(targets: Mapping[str, Entry]) -> dict[str, set[str]]:
    """
    Return, for each resource, the resources that must be deleted before it.

    Webhook configurations are deleted before all other objects of their cluster.
    """
    before: dict[str, set[str]] = {urn: set() for urn in targets}
    for urn, entry in targets.items():
        for needed in entry.needs & targets.keys():
            before[needed].add(urn)
    for webhook in (urn for urn, entry in targets.items() if _is_webhook(entry)):
        _put_first(webhook, targets, before)
    return before


def _put_first(webhook: str, targets: Mapping[str, Entry], before: dict[str, set[str]]) -> None:
    # The early deletion of a webhook does not harm resources that are deleted anyway.
    before[webhook] = set()
    for urn, entry in targets.items():
        if is_object(entry.type) and not _is_webhook(entry) and entry.provider == targets[webhook].provider:
            before[urn].add(webhook)


def _is_elsewhere(entry: Entry) -> bool:
    """Return whether an entry has an object on a cluster or a server, and not only in the state."""
    return is_object(entry.type) or entry.type in rancher2.TYPES


def _is_webhook(entry: Entry) -> bool:
    return entry.type.endswith(_WEBHOOKS)
