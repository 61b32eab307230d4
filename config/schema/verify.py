"""Section `verify`: settings of `python -m ops verify`."""

from config.base import Section
from config.images import Image


class Verify(Section):
    """Settings of `python -m ops verify`, which starts a client pod in each cluster."""

    client_image: Image = "docker.io/curlimages/curl:8.16.0"
    """The image of the client pods; it must have curl."""
