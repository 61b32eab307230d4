"""Providers as resources name them: by reference, which is a URN and an id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.standin.state import State
    from recorder.values import Properties


def urn_of(reference: str) -> str:
    """Drop the id, if there is one: a URN has four parts, and the reference one more."""
    return "::".join(reference.split("::")[:4])


def inputs_of(urn: str, registered: Mapping[str, Properties], state: State) -> Properties:
    """
    Give the inputs of a provider: those of this run, else those that are kept of the last one.

    Raises:
        UserError: there is no such provider.
    """
    if urn in registered:
        return registered[urn]
    entry = state.get(urn)
    if entry is None:
        raise UserError(f"the provider {urn} is not known")
    return entry.inputs
