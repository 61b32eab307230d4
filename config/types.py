"""
What a single value of the stack config may be: types, each with a text of what is allowed.

Reads nothing but a file of CA certificates that a value names.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeVar

import re2
from cryptography import x509
from pydantic import AfterValidator, BeforeValidator, PlainValidator, ValidationError, WrapValidator
from pydantic import ValidatorFunctionWrapHandler as Reader
from pydantic_core import PydanticCustomError

from mesh import names, pem, root_ca

DNS_LABEL_MAX = 63
DNS_NAME_MAX = 253
PORT_MAX = 65535
PATH_MAX = 4096
REGEX_MAX = 1024
REGEX_PROGRAM_MAX = 32768
"""Above these istiod and Envoy, as Istio starts it, take no regular expression."""

_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_PART = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL = rf"({_DNS_LABEL}(\.{_DNS_LABEL})*/)?{_LABEL_PART}=({_LABEL_PART})?"
_URL = re.compile(
    r"(https|oci)://([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^\s?#@]*)?"
)
_OPEN = re.compile(r"[a-z]+://[^\s?#@]*|[-./a-z0-9]{0,40}")
"""What stands in the place of a URL and holds neither a password nor a token."""
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?")
_UNITS = {
    **{unit: Decimal(10) ** power for unit, power in {"n": -9, "u": -6, "m": -3, "k": 3}.items()},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("MGTPE", start=2)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}
Value = TypeVar("Value")


def _unseen(message: object) -> PydanticCustomError:
    """An error whose value may be a secret in the wrong place: of this type, `settings` does not quote it."""
    return PydanticCustomError("unseen", "{message}", {"message": str(message)})


def _matching(pattern: str, allowed: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            message = f"allowed is {allowed}"
            raise ValueError(message)
        return value

    return AfterValidator(check)


def _check_dns_label(value: str) -> str:
    if len(value) > DNS_LABEL_MAX or not re.fullmatch(_DNS_LABEL, value):
        message = "allowed is a DNS label: a-z, 0-9 and '-', a letter or digit at both ends, at most 63 characters"
        raise ValueError(message)
    return value


def _check_cluster_name(value: str) -> str:
    if len(value) > names.CLUSTER_NAME_MAX:
        message = (
            f"{len(value)} characters are too long: at most {names.CLUSTER_NAME_MAX} leave room for the common name "
            f"of the cluster's intermediate CA"
        )
        raise ValueError(message)
    if "to" in value.split("-"):
        message = "the word 'to' joins two clusters in the name of a link; allowed is a name without it"
        raise ValueError(message)
    return value


def _check_header_regex(value: str) -> str:
    if not value.isascii() or not 1 <= len(value) <= REGEX_MAX:
        message = f"allowed is a regular expression of 1 to {REGEX_MAX} characters of ASCII"
        raise ValueError(message)
    options = re2.Options()
    options.log_errors = False
    try:
        size = re2.compile(value, options).programsize
    except re2.error as error:
        said = error.args[0].decode()
        message = f"{said}; allowed is a regular expression of RE2, which has neither look-around nor backreferences"
        raise ValueError(message) from None
    if size > REGEX_PROGRAM_MAX:
        message = f"it compiles to {size} instructions; allowed are {REGEX_PROGRAM_MAX}: repeat less"
        raise ValueError(message)
    return value


def _check_trust_domain(value: str) -> str:
    labels = value.split(".")
    if len(value) > DNS_NAME_MAX or not all(
        len(label) <= DNS_LABEL_MAX and re.fullmatch(_DNS_LABEL, label) for label in labels
    ):
        message = "allowed is a DNS name such as cluster.local"
        raise ValueError(message)
    return value


def _check_url(value: str, schemes: tuple[str, ...], message: str) -> str:
    match = _URL.fullmatch(value)
    if match is None or match[1] not in schemes or int((match[4] or ":0")[1:]) > PORT_MAX:
        raise ValueError(message) if _OPEN.fullmatch(value) else _unseen(message)
    return value.rstrip("/")


def _check_https(value: str) -> str:
    message = (
        f"allowed is an https:// URL with a host, a port, if any, of at most {PORT_MAX}, and without credentials, "
        "query or fragment"
    )
    return _check_url(value, ("https",), message)


def _check_charts(value: str) -> str:
    message = (
        "allowed is an https:// repository or an oci:// registry, without credentials, or a folder's absolute path"
    )
    return value.rstrip("/") if value.startswith("/") else _check_url(value, ("https", "oci"), message)


def _check_path(value: object) -> object:
    if isinstance(value, str) and (not value or not value.isprintable() or "apiVersion" in value):
        message = "allowed is the path of a file, and not what is in it"
        raise _unseen(message)
    return value


def _pem_by(read: Callable[[str], Value]) -> PlainValidator:
    def check(value: object) -> Value:
        try:
            return read(value if isinstance(value, str) else "")
        except ValueError as error:
            raise _unseen(error) from None

    return PlainValidator(check)


def _read_ca(value: str) -> str:
    try:
        text = Path(value).read_text() if _is_absolute_path(value) else value
        certificates = pem.read_certificates(text)
    except OSError as error:
        message = f"the file {value} cannot be read: {error.strerror}; name a readable file of CA certificates"
        raise ValueError(message) from None
    except ValueError as error:
        message = f"{error}; give one CA certificate or more and no key, as text or as the absolute path of a file"
        raise ValueError(message) from None
    return "".join(map(pem.write_certificate, certificates))


def _is_absolute_path(value: str) -> bool:
    return value.startswith("/") and value.isprintable() and len(value) < PATH_MAX


@dataclass(frozen=True)
class _Whole:
    least: int
    most: int | None = None

    def __call__(self, value: object, read: Reader) -> int:
        try:
            number = None if isinstance(value, bool) else int(read(value))
        except ValidationError:
            number = None
        if number is None or number < self.least or (self.most is not None and number > self.most):
            bounds = f"of {self.least} or more" if self.most is None else f"from {self.least} to {self.most}"
            message = f"allowed is a whole number {bounds}"
            raise ValueError(message)
        return number


def amount(quantity: str) -> Decimal:
    """
    The number that a Kubernetes quantity stands for.

    Raises:
        ValueError: It is none.
    """
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        message = "allowed is a Kubernetes quantity such as 200m, 2 or 64Mi"
        raise ValueError(message)
    number, unit = match.groups("")
    return Decimal(number) * _UNITS[unit] if unit in _UNITS else Decimal(number + unit)


def _check_quantity(value: str) -> str:
    amount(value)
    return value


NonEmpty = Annotated[str, _matching(r"\S(.*\S)?", "a text that is not empty and has no blank at either end")]
DnsLabel = Annotated[str, AfterValidator(_check_dns_label)]
ClusterName = Annotated[DnsLabel, AfterValidator(_check_cluster_name)]
TrustDomain = Annotated[str, AfterValidator(_check_trust_domain)]
HttpsUrl = Annotated[str, AfterValidator(_check_https)]
Charts = Annotated[str, AfterValidator(_check_charts)]
ChartVersion = Annotated[str, _matching(r"[0-9]+\.[0-9]+\.[0-9]+(-[-.0-9A-Za-z]+)?", "one version, such as 1.31.1")]
KubeconfigPath = Annotated[Path, BeforeValidator(_check_path)]
RancherClusterId = Annotated[str, _matching(r"c-[-a-z0-9]+|local", "Rancher's id, such as c-f7r9g or local")]
HeaderName = Annotated[
    str,
    _matching(
        r"[!#$%&'*+.^_`|~0-9a-z-]+",
        "a header's name in lower case, such as x-team; neither a pseudo-header such as :path nor a claim of a token",
    ),
]
HeaderValue = Annotated[
    str, _matching(r"[!-~]([ -~]*[!-~])?", "a text of ASCII that is not empty and has no blank at either end")
]
HeaderPrefix = Annotated[str, _matching(r"[!-~][ -~]*", "a text of ASCII that is not empty and begins with no blank")]
HeaderRegex = Annotated[str, AfterValidator(_check_header_regex)]
NodeSelector = Annotated[str, _matching(rf"{_LABEL}(,{_LABEL})*", "labels such as role=ingress, joined by commas")]
Quantity = Annotated[str, AfterValidator(_check_quantity)]
RootCertificate = Annotated[x509.Certificate, _pem_by(root_ca.read_root)]
CaCertificates = Annotated[str, _pem_by(_read_ca)]
Hours = Annotated[int, WrapValidator(_Whole(1))]
Generation = Annotated[int, WrapValidator(_Whole(1))]
Percent = Annotated[int, WrapValidator(_Whole(0, 100))]
PositivePercent = Annotated[int, WrapValidator(_Whole(1, 100))]
Errors = Annotated[int, WrapValidator(_Whole(1, 100))]
Attempts = Annotated[int, WrapValidator(_Whole(0, 10))]
Seconds = Annotated[int, WrapValidator(_Whole(1, 3600))]
Replicas = Annotated[int, WrapValidator(_Whole(1, 100))]
TokenHours = Annotated[int, WrapValidator(_Whole(2, 8760))]
TimeoutSeconds = Annotated[int, WrapValidator(_Whole(10, 3600))]
