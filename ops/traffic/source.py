"""Where requests enter the mesh."""

from enum import StrEnum


class TrafficSource(StrEnum):
    """Where a request enters the mesh: at an ingress gateway, or from a client pod in a cluster."""

    INGRESS = "ingress"
    CLIENT = "client"
