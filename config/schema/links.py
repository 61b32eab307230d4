"""Section `links`: the credentials by which clusters read each other."""

from config.base import Section
from config.types import Generation


class Links(Section):
    """The credentials by which clusters read each other."""

    token_generation: Generation = 1
    """A higher number rotates the service account tokens of all links."""
    read_secrets: bool = True
    """
    Whether a peer can read a cluster's Secrets. Set it to false only with an Istio that works without them: 1.31.1
    crashes (docs/adr/0008), and installer operator requires true.
    """
