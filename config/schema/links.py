"""Section `links`: the credentials by which clusters read each other."""

from config.base import Section
from config.types import Generation


class Links(Section):
    """The credentials by which clusters read each other."""

    token_generation: Generation = 1
    read_secrets: bool = True
    """Whether readers may read Secrets. The Istio of 2026-08-27 crashes without, a later one may not: docs/adr/0008."""
