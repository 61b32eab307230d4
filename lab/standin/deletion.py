"""
Taking resources away: dependents before what they depend on, independent ones at the same time.

Admission webhooks go first: once istiod is dead, they would refuse what the rest of the deletion needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from errors import UserError
from lab.standin import awaits
from lab.standin.cluster import UnreachableError
from lab.standin.order import run_in_order
from lab.standin.plan import Change, Step
from lab.standin.providers import rancher2
from lab.standin.providers.helm import CHART
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
    """Deletes entries of the state, and what they stand for."""

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
            state: loses the entries.
            display: shows each.
            clusters: hold what the entries stand for.
            servers: likewise.
            claimed: what is to stay, because other resources stand for it now.
        """
        self._state = state
        self._display = display
        self._clusters = clusters
        self._servers = servers
        self._claimed = claimed
        self.failures: dict[str, str] = {}
        """What went wrong, by URN."""

    def run(self, doomed: Mapping[str, Entry]) -> None:
        """
        Delete all of `doomed`; what another one needs stays if that one cannot be deleted.

        Raises:
            UserError: one of them is protected; nothing has been deleted then.
        """
        refuse_protected(doomed)
        run_in_order(predecessors(doomed), lambda urn: self._delete(doomed[urn], doomed), _TOGETHER)

    def reprieve(self, entry: Entry) -> str:
        """
        Say why that which an entry stands for stays when the entry goes; empty if it goes too.

        Raises:
            UserError: the entry's provider is not known.
        """
        if not _is_elsewhere(entry):
            return ""
        if entry.retain_on_delete:
            return "it is retained: only forgotten"
        if is_object(entry.type) and self._clusters.place(entry.provider, identity_in(entry)) in self._claimed:
            return "another resource has it now: only forgotten"
        return ""

    def _delete(self, entry: Entry, doomed: Mapping[str, Entry]) -> bool:
        """Delete one resource; False when that failed."""
        try:
            note = self.reprieve(entry)
            if _is_elsewhere(entry) and not note and entry.deleted_with not in doomed:
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
        cluster = self._clusters.of(entry.provider)
        if cluster is None:
            raise UserError("the way to its cluster is not known")
        try:
            cluster.delete(identity_in(entry))
            awaits.wait_until_gone(cluster, identity_in(entry), self._display.waiting(entry.urn))
        except UnreachableError:
            if not self._clusters.may_be_gone(entry.provider or ""):
                raise

    def _delete_from_rancher(self, entry: Entry) -> None:
        server = self._servers.of(entry.provider)
        if server is None:
            raise UserError("the way to its Rancher is not known")
        rancher2.delete(entry, server, rancher2.passwords_in(self._state.entries().values()))


def refuse_protected(doomed: Mapping[str, Entry]) -> None:
    """
    Hold protection up before anything is deleted.

    Raises:
        UserError: names all that are protected.
    """
    protected = [Change(urn=urn, step=Step.DELETE).name for urn, entry in doomed.items() if entry.protect]
    if protected:
        raise UserError(f"{', '.join(protected)}: protected, so nothing is deleted (--unprotect overrules)")


def predecessors(doomed: Mapping[str, Entry]) -> dict[str, set[str]]:
    """
    Tell, for each resource, what must be deleted before it.

    Who depends on a component depends on all that is in it; webhook configurations come before everything of their
    cluster but what depends on them.
    """
    before: dict[str, set[str]] = {urn: set() for urn in doomed}
    inside = _contents(doomed)
    for urn, entry in doomed.items():
        for needed in entry.needs & doomed.keys():
            before[needed].add(urn)
        for chart in (needed for needed in entry.dependencies if needed in doomed and doomed[needed].type == CHART):
            for content in inside[chart] - inside.get(urn, set()) - {urn}:
                before[content].add(urn)
    for webhook in (urn for urn, entry in doomed.items() if _is_webhook(entry)):
        _put_first(webhook, doomed, before)
    return before


def _put_first(webhook: str, doomed: Mapping[str, Entry], before: dict[str, set[str]]) -> None:
    # A webhook that goes early harms nobody who is about to be deleted, so its own dependents need not wait.
    before[webhook] = set()
    for urn, entry in doomed.items():
        if is_object(entry.type) and not _is_webhook(entry) and entry.provider == doomed[webhook].provider:
            before[urn].add(webhook)


def _contents(entries: Mapping[str, Entry]) -> dict[str, set[str]]:
    inside: dict[str, set[str]] = {}
    for urn, entry in entries.items():
        parent = entry.parent
        while parent is not None and parent in entries:
            inside.setdefault(parent, set()).add(urn)
            parent = entries[parent].parent
    return {urn: inside.get(urn, set()) for urn in entries}


def _is_elsewhere(entry: Entry) -> bool:
    """Tell whether an entry stands for something on a cluster or a server, and not for itself alone."""
    return is_object(entry.type) or entry.type in rancher2.TYPES


def _is_webhook(entry: Entry) -> bool:
    return entry.type.endswith(_WEBHOOKS)
