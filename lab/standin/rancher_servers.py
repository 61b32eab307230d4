"""The program's Rancher providers, and the connections to their servers."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from errors import UserError
from lab.standin import lab_network, references
from lab.standin.rancher_server import RancherServer
from recorder.values import has_unknown, reveal

if TYPE_CHECKING:
    from lab.standin.state import State
    from recorder.registrations import Registration
    from recorder.values import Properties

TYPE: Final = "pulumi:providers:rancher2"
_NEEDED: Final = frozenset({"apiUrl", "tokenKey"})
_INPUTS: Final = _NEEDED | {"caCerts"}
_OFF: Final = ("bootstrap", "insecure")
"""Inputs that the SDK always sets, and that are supported only as `false`."""


class RancherServers:
    """The connections by provider; safe to use from several threads."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._inputs: dict[str, Properties] = {}
        self._servers: dict[str, RancherServer] = {}
        self._lock = Lock()

    def add(self, provider: Registration) -> None:
        """
        Register a provider, whose inputs replace the earlier ones.

        Raises:
            UserError: An input is not supported, or a required one is missing.
        """
        off = {name for name in _OFF if provider.inputs.get(name) == "false"}
        if unknown := sorted(provider.inputs.keys() - _INPUTS - off):
            raise UserError(f"{provider.name}: {', '.join(unknown)} is not supported by the stand-in")
        if missing := sorted(_NEEDED - provider.inputs.keys()):
            raise UserError(f"{provider.name}: {', '.join(missing)} is required by the stand-in")
        with self._lock:
            self._inputs[provider.urn] = provider.inputs
            known = self._servers.pop(provider.urn, None)
        if known is not None:
            known.close()

    def of(self, reference: str | None) -> RancherServer | None:
        """
        Return the server of the provider `<urn>::<id>` or `<urn>`; None while an input of the provider is unknown.

        Raises:
            UserError: The provider is missing or not usable, or its server is not in the lab.
        """
        if reference is None:
            raise UserError("it has no explicit provider, and there is no default one")
        urn = references.urn_of(reference)
        with self._lock:
            inputs = references.inputs_of(urn, self._inputs, self._state)
            if has_unknown(inputs):
                return None
            if urn not in self._servers:
                plain = reveal(inputs)
                lab_network.require(f"{urn.rpartition('::')[2]}: its Rancher", plain["apiUrl"])
                self._servers[urn] = RancherServer.connect(plain["apiUrl"], plain.get("caCerts"), plain["tokenKey"])
            return self._servers[urn]

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for server in self._servers.values():
                server.close()
            self._servers.clear()
