"""Detection of keys, tokens and credentials in any value."""

import base64
import re
from collections.abc import Iterator, Mapping

from policies.lib.values import items, look, show_place, texts, walk

A_KUBECONFIG = "a kubeconfig with a credential"
# The bounds keep the search linear: ConfigMaps can have a megabyte.
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"),
    "a Rancher token": re.compile(r"\b(token|kubeconfig)-[a-z0-9-]{1,63}:[a-z0-9]{16,}", re.IGNORECASE),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{10,1000}\.eyJ[\w-]{10,}\.[\w-]+"),
}
LINE_MIN = 24
"""Characters of base64 that are enough to decode the start of what is searched for."""
BASE64 = re.compile(rf"[A-Za-z0-9+/]{{{LINE_MIN},}}(?:\s+[A-Za-z0-9+/]+)*")
KUBECONFIG = re.compile(r"\bkind\W{1,8}Config\b")
CREDENTIALS = ("client-key-data", "password", "token")
CREDENTIAL = re.compile(rf"\b({'|'.join(CREDENTIALS)})\W{{1,8}}[\w./+-]{{8,}}")


def find(value: object) -> Iterator[str]:
    """Name each secret in a value with its place; the text never quotes a value."""
    for place, text in texts(value):
        if what := next(filter(None, map(_recognise, _readings(text))), None):
            yield f"{what} at {show_place(place)}"
    for place, found in walk(value):
        for user in items(look(found, "users")):
            if any(isinstance(look(user, "user", key), str) for key in CREDENTIALS):
                yield f"{A_KUBECONFIG} at {show_place(place)}"


def _recognise(text: str) -> str | None:
    # Two searches: one combined pattern would try every pair of positions in a long text.
    if KUBECONFIG.search(text) and CREDENTIAL.search(text):
        return A_KUBECONFIG
    return next((what for what, pattern in PATTERNS.items() if pattern.search(text)), None)


def _readings(text: str) -> Iterator[str]:
    """The text itself, and each run of base64 in it, decoded."""
    yield text
    for run in BASE64.finditer(text):
        first, *others = run[0].split()
        yield _decode("".join((first, *others)))
        # A preceding word that only looks like base64 would shift the decoding, so each line counts alone too.
        yield from (_decode(line) for line in others if len(line) >= LINE_MIN)


def _decode(encoded: str) -> str:
    # Extra padding only adds characters at the end, which no pattern searches for.
    return base64.b64decode(encoded + "A" * (-len(encoded) % 4)).decode(errors="replace")
