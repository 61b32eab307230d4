"""References of resources to providers, which are a URN and an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.standin.state import State
    from recorder.values import Properties


def urn_of(reference: str) -> str:
    """Return the URN of a reference; a URN has four parts, and a reference has the id as a fifth."""
    return "::".join(reference.split("::")[:4])


def inputs_of(urn: str, registered: Mapping[str, Properties], state: State) -> Properties:
    """
    Return the inputs of a provider from this run, else from the state.

    Raises:
        UserError: The provider does not exist.
    """
    if urn in registered:
        return registered[urn]
    entry = state.get(urn)
    if entry is None:
        raise UserError(f"the provider {urn} is not known")
    return entry.inputs
