"""Detection of keys, tokens and credentials in any value."""

import base64
import re
from collections.abc import Iterator, Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key

from policies.lib.place_holders import is_place_holder
from policies.lib.values import items, look, read_yaml, show_place, texts, walk

A_KUBECONFIG = "a kubeconfig with a credential"
A_PRIVATE_KEY = "a private key"
A_CREDENTIAL = "a credential"
# The bounds keep the search linear: ConfigMaps can have a megabyte.
PATTERNS: Mapping[str, re.Pattern[str]] = {
    # A body follows the header: rules and documentation name headers alone, or cut the body short.
    A_PRIVATE_KEY: re.compile(
        r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:\s|\\[nr]|(?:Comment|DEK-Info|Proc-Type|Version): [^\n\\]{1,128})*"
        r"(?:M|b3Bl|l[FIQWY]|x[cV])[A-Za-z0-9+/]{12}(?![A-Za-z0-9+/]{0,64}(?:\.\.|…))"
    ),
    # The alphabet of Rancher's tokens has no vowels; what follows a path is an image's tag.
    "a Rancher token": re.compile(
        r"(?<![\w.-])(?<![\w.-]/)(token|kubeconfig)-[a-z0-9-]{1,63}:[bcdfghjklmnpqrstvwxz2456789]{54}(?![a-z0-9])",
        re.IGNORECASE,
    ),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{10,1000}\.eyJ[\w-]{10,}\.[\w-]+"),
}
URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,30}://[^\s:/?#@\"']{0,128}:(?P<value>[^\s/@\"']{3,256})@[\w\[$]", re.IGNORECASE)
LINE_MIN = 24
"""Characters of base64 that are enough to decode the start of what is searched for."""
BASE64 = re.compile(rf"[A-Za-z0-9+/]{{{LINE_MIN},}}(?:\s+[A-Za-z0-9+/]+)*")
ENCODED_TWICE = 2
DER_MIN, DER_MAX = 40, 16_384
"""The sizes of keys in DER, in bytes."""
BETWEEN = r"[\s:,\"'\\|>]{1,64}"
CREDENTIALS = ("client-key-data", "password", "token")
KUBECONFIG = re.compile(
    rf"\bkind\W{{1,8}}Config\b|\buser[\s:\"'\\{{]{{1,64}}(client-certificate-data|exec|username|{'|'.join(CREDENTIALS)})\b"
)
CREDENTIAL = re.compile(
    rf"\b(?:{'|'.join(CREDENTIALS)}|name{BETWEEN}\w{{0,64}}(?:KEY|PASSWORD|SECRET|TOKEN){BETWEEN}value){BETWEEN}"
    r"(?P<value>[^\s,\"'\\]{8,})"
)
VARIABLE = re.compile(r"(^|_)(PASSWORD|PASSWD|PWD)$", re.IGNORECASE)
KEY_VARIABLE = re.compile(r"(^|_)(SECRET|TOKEN|(ACCESS|API|PRIVATE|SECRET)_?KEY)$", re.IGNORECASE)
KEY_VALUE = re.compile(
    r"(?=.*[0-9])(?=.*[A-Za-z])[\w+=~-]{20,}|(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[\w+/=]{40,}", re.ASCII
)
"""The alphabet and the least length of a key or a token; names are shorter, and paths have more signs."""
JWK_TYPE = re.compile(r"\bkty\W{1,8}(RSA|EC|OKP|oct)\b")
JWK_KEY = re.compile(rf"\b[dk]{BETWEEN}[\w-]{{22,}}")


def find(value: object) -> Iterator[str]:
    """Name each secret in a value with its place; the text never quotes a value."""
    for place, text in texts(value):
        if what := next(filter(None, map(_recognise, _readings(text, ENCODED_TWICE))), None):
            yield f"{what} at {show_place(place)}"
    for place, found in walk(value):
        if any(_has_credential(look(user, "user")) for user in items(look(found, "users"))):
            yield f"{A_KUBECONFIG} at {show_place(place)}"
        elif isinstance(look(found, "kty"), str) and any(isinstance(look(found, key), str) for key in ("d", "k")):
            yield f"{A_PRIVATE_KEY} at {show_place(place)}"


def of_variables(variables: object) -> Iterator[str]:
    """Name each environment variable whose name says that its value is a secret, and whose value is one."""
    for variable in items(variables):
        name, value = look(variable, "name"), look(variable, "value")
        if not isinstance(name, str) or not isinstance(value, str) or is_place_holder(value):
            continue
        if VARIABLE.search(name) or (KEY_VARIABLE.search(name) and KEY_VALUE.fullmatch(value)):
            yield f"{A_CREDENTIAL} in the variable {name}"


def of_last_applied(annotation: object) -> Iterator[str]:
    """Name the data of a Secret in the annotation in which kubectl keeps the whole object."""
    applied = read_yaml(annotation)
    if look(applied, "kind") == "Secret" and any(look(applied, key) for key in ("data", "stringData")):
        yield "the data of a Secret"


def _has_credential(user: object) -> bool:
    known = (look(user, key) for key in CREDENTIALS)
    is_real = any(isinstance(found, str) and not is_place_holder(found) for found in known)
    return is_real or any(of_variables(look(user, "exec", "env")))


def _recognise(reading: str | bytes) -> str | None:
    if isinstance(reading, bytes):
        return A_PRIVATE_KEY if _is_der_key(reading) else None
    # Two searches: one combined pattern would try every pair of positions in a long text.
    if KUBECONFIG.search(reading) and _has_real_value(CREDENTIAL, reading):
        return A_KUBECONFIG
    if JWK_TYPE.search(reading) and JWK_KEY.search(reading):
        return A_PRIVATE_KEY
    if what := next((what for what, pattern in PATTERNS.items() if pattern.search(reading)), None):
        return what
    return f"{A_CREDENTIAL} in a URL" if _has_real_value(URL, reading) else None


def _has_real_value(pattern: re.Pattern[str], text: str) -> bool:
    return any(not is_place_holder(found["value"]) for found in pattern.finditer(text))


def _is_der_key(data: bytes) -> bool:
    try:
        load_der_private_key(data, password=None)
    except TypeError:
        # It is encrypted.
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _readings(text: str, depth: int) -> Iterator[str | bytes]:
    """The text itself, and each run of base64 in it, decoded, as text and as a key's bytes."""
    yield text
    for run in BASE64.finditer(text) if depth else ():
        first, *others = run[0].split()
        # A preceding word that only looks like base64 would shift the decoding, so each line counts alone too.
        for encoded in ("".join((first, *others)), "".join(others), *others):
            if len(encoded) >= LINE_MIN:
                yield from _decoded(encoded, depth)


def _decoded(encoded: str, depth: int) -> Iterator[str | bytes]:
    # Extra padding only adds characters at the end, which no pattern searches for.
    data = base64.b64decode(encoded + "A" * (-len(encoded) % 4))
    length = _der_length(data)
    if DER_MIN <= length <= min(DER_MAX, len(data)):
        yield data[:length]
    yield from _readings(data.decode(errors="replace"), depth - 1)


def _der_length(data: bytes) -> int:
    """The length of a sequence in DER with its header; 0 if the data begins with something else."""
    if data[:1] != b"\x30":
        return 0
    short, size = data[1], data[1] & 0x7F
    return 2 + short if short < 0x80 else 2 + size + int.from_bytes(data[2 : 2 + size])  # noqa: PLR2004 - ITU-T X.690
