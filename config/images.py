"""
The types of image references: the grammar of distribution, which container runtimes use.

The regular expressions are those of https://github.com/distribution/reference/blob/v0.6.0/regexp.go, the limits are
those of `reference.go` there, and the digests those of github.com/opencontainers/go-digest v1.0.0.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from config.text import Text

NAME_MAX = 255
IMAGE_MAX = 520
"""The longest name with the longest tag and the longest digest."""
_COMPONENT = r"([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"({_COMPONENT}(\.{_COMPONENT})*|\[[a-fA-F0-9:]+\])(:[0-9]+)?"
_PATH_COMPONENT = r"[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_PATH_COMPONENT}(/{_PATH_COMPONENT})*"
_NAME = rf"({_DOMAIN}/)?{_PATH}"
_TAG = r"[A-Za-z0-9_][-.A-Za-z0-9_]{0,127}"
_DIGEST = r"(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})"


def _check_name(value: str) -> str:
    name = re.match(_NAME, value)
    if name is not None and len(name[0]) > NAME_MAX:
        raise ValueError(f"allowed: an image whose name has at most {NAME_MAX} characters")
    return value


def _strip_slash(value: str) -> str:
    return value.rstrip("/")


Image = Annotated[
    str,
    Text(
        allowed=(
            "an image such as registry.example/path/name:1.0, without a scheme and with no capitals in the path; a "
            "tag, a digest or both may follow the name"
        ),
        pattern=rf"{_NAME}(:{_TAG})?(@{_DIGEST})?",
        longest=IMAGE_MAX,
    ),
    AfterValidator(_check_name),
]
Hub = Annotated[
    str,
    Text(
        allowed=(
            "a registry and a path such as docker.io/istio, without a scheme or a tag, and with no capitals in the path"
        ),
        pattern=rf"({_DOMAIN}(/{_PATH})?|{_PATH})/?",
        longest=NAME_MAX - len("/proxyv2"),
    ),
    AfterValidator(_strip_slash),
]
"""The start of a name, to which Istio adds `/pilot` and `/proxyv2`."""
Tag = Annotated[
    str,
    Text(
        allowed="a tag of at most 128 letters, digits, '_', '.' and '-', which does not start with '.' or '-'",
        pattern=_TAG,
    ),
]
