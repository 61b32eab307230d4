"""What looks like a key, a token or a credential, wherever it stands."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from ._values import items, look, show_place, texts, walk

A_KUBECONFIG = "a kubeconfig with a credential"
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"),
    "a Rancher token": re.compile(r"\b(token|kubeconfig)-[a-z0-9-]+:[a-z0-9]{16,}", re.IGNORECASE),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+"),
}
BASE64 = re.compile(r"[A-Za-z0-9+/\s]{24,}={0,2}\s*")
KUBECONFIG = re.compile(r"\bkind\W{1,8}Config\b")
CREDENTIALS = ("client-key-data", "password", "token")
CREDENTIAL = re.compile(rf"\b({'|'.join(CREDENTIALS)})\W{{1,8}}[\w./+-]{{8,}}")


def find(value: object) -> Iterator[str]:
    """Say what of it stands where in a value, and quote nothing."""
    for place, text in texts(value):
        if what := _recognise(text) or _recognise(_decode(text)):
            yield f"{what} at {show_place(place)}"
    for place, found in walk(value):
        for user in items(look(found, "users")):
            if any(isinstance(look(user, "user", key), str) for key in CREDENTIALS):
                yield f"{A_KUBECONFIG} at {show_place(place)}"


def _recognise(text: str) -> str | None:
    # Two searches, for one pattern of both would try every pair of places in a long text.
    if KUBECONFIG.search(text) and CREDENTIAL.search(text):
        return A_KUBECONFIG
    return next((what for what, pattern in PATTERNS.items() if pattern.search(text)), None)


def _decode(text: str) -> str:
    """What a text of base64 stands for; nothing if it is none."""
    if not BASE64.fullmatch(text):
        return ""
    try:
        return base64.b64decode(text).decode(errors="replace")
    except binascii.Error:
        return ""
