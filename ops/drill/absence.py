"""The stack with one cluster away, and the `up` that deploys it and the one that ends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from config.parsing import parse
from config.schema import Settings
from errors import UserError

GRACE_SECONDS = 10
"""
After an `up` a request may still fail for so long.

istiod collects changes before it sends them to the proxies, by default for at most this time (PILOT_DEBOUNCE_MAX).
"""


class Updates(Protocol):
    """Deploys the drilled stack, as its user does."""

    @property
    def command(self) -> str:
        """The user's command that deploys the stack as its file says."""

    def up(self, config: Mapping[str, Any]) -> None:
        """
        Deploy the stack with these config values in place of its file's, by key without its prefix.

        Raises:
            UserError: It failed.
        """


@dataclass(frozen=True, kw_only=True)
class Absence:
    """
    One cluster of the stack, away.

    Attributes:
        settings: The stack's config with the cluster away.
        clusters: Its value of `clusters`.
    """

    settings: Settings
    clusters: list[dict[str, Any]]
    updates: Updates

    @classmethod
    def of(cls, cluster: str, values: Mapping[str, Any], updates: Updates) -> Self:
        """
        Take the plain values of the stack's config.

        Raises:
            UserError: The stack cannot be deployed without the cluster.
        """
        clusters = [{**each, "away": True} if each["name"] == cluster else each for each in values["clusters"]]
        try:
            settings = parse({**values, "clusters": clusters})
        except UserError as error:
            raise UserError(
                f"no `up` can move the traffic off {cluster}, because with {cluster} away {error.problem}",
                "Name another --cluster, or change the config",
            ) from None
        return cls(settings=settings, clusters=clusters, updates=updates)

    def begin(self) -> None:
        """
        Deploy the stack with the cluster away.

        Raises:
            UserError: It failed.
        """
        self.updates.up({"clusters": self.clusters})

    def end(self) -> None:
        """
        Deploy the stack as its file says.

        Raises:
            UserError: It failed.
        """
        self.updates.up({})
