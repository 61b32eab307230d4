"""Section `verify`: what `python -m ops verify` needs in the clusters."""

from config.base import Section
from config.types import NonEmpty


class Verify(Section):
    """What `python -m ops verify` needs in the clusters."""

    client_image: NonEmpty = "docker.io/curlimages/curl:8.16.0"
