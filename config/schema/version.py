"""The versions of helloworld."""

from enum import StrEnum


class Version(StrEnum):
    """A version of helloworld."""

    V1 = "v1"
    """The first version."""
    V2 = "v2"
    """The second version, to which `v2Weight` shifts traffic."""
