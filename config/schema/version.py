"""The versions of helloworld."""

from enum import StrEnum


class Version(StrEnum):
    """A version of helloworld."""

    V1 = "v1"
    V2 = "v2"
