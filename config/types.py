"""
The types of single config values, each with its check and its JSON Schema.

A check's `ValueError` says what is allowed; `config.parsing` adds the key and the value. Only a file of CA certificates
that a value names is read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import re2
from cryptography import x509
from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)
from pydantic import ValidatorFunctionWrapHandler as Reader
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from config.text import Text
from errors import show, show_location
from mesh import addresses, names, pem, root_ca

DNS_LABEL_MAX = 63
DNS_NAME_MAX = 253
PORT_MAX = 65535
PATH_MAX = 4096
HOURS_MAX = 2**63 // (3600 * 10**9)
"""The longest duration of Go, in which the providers compute, in hours: about 292 years."""
GENERATION_MAX = 2**53 - 1
"""The greatest whole number that JSON readers keep exactly."""
REGEX_MAX = 1024
REGEX_PROGRAM_MAX = 32768
"""The limits of istiod and of Envoy, with Istio's settings, for a regular expression."""

HEADER_NAME_MAX = 256
HEADER_MAX = 8192
"""More than servers take as one header."""

_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_PART = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL = rf"({_DNS_LABEL}(\.{_DNS_LABEL})*/)?{_LABEL_PART}=({_LABEL_PART})?"
_HOST = r"([A-Za-z0-9_]([-A-Za-z0-9_.]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\])"
_AFTER_SCHEME = rf"://{_HOST}(:[0-9]{{1,5}})?(/[^\s?#@]*)?"
_UNITS = {
    **{unit: Decimal(10) ** power for unit, power in {"n": -9, "u": -6, "m": -3, "k": 3}.items()},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("MGTPE", start=2)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}
MEMORY_MIN = 4 * _UNITS["Mi"]
"""Less memory than a container runtime needs to start a container, in bytes."""
Value = TypeVar("Value")


def _unquoted(message: object) -> PydanticCustomError:
    """An error for a value that may be a secret under the wrong key: `config.parsing` does not quote it."""
    return PydanticCustomError("unquoted", "{message}", {"message": str(message)})


class _Url(Text):
    """An address without credentials, without a slash at its end."""

    def __call__(self, value: str) -> str:
        checked = super().__call__(value)
        if not checked.startswith("/"):
            try:
                addresses.normalized(checked)
            except ValueError:
                raise ValueError(f"allowed: {self.allowed}") from None
        return checked.rstrip("/")


@dataclass(frozen=True)
class _Whole:
    """A whole number within bounds, or its digits as a string, which is what `pulumi config set` writes."""

    least: int
    most: int

    def __call__(self, value: object, read: Reader) -> int:
        try:
            number = None if isinstance(value, bool) else int(read(value))
        except ValidationError:
            number = None
        if number is None or not self.least <= number <= self.most:
            raise ValueError(f"allowed: a whole number from {self.least} to {self.most}")
        return number

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's interface
        return core_schema.no_info_wrap_validator_function(self, handler(source))

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


def _check_cluster_name(value: str) -> str:
    if "to" in value.split("-"):
        raise ValueError("allowed: a name without the word 'to', which joins two clusters in the name of a link")
    return value


def _check_header_regex(value: str) -> str:
    if not value.isascii() or not 1 <= len(value) <= REGEX_MAX:
        raise ValueError(f"allowed: a regular expression of 1 to {REGEX_MAX} ASCII characters")
    if re.search(r"(?<!\\)(\\\\)*\\C", value):
        raise ValueError("allowed: a regular expression without \\C, which istiod refuses. Use a dot")
    options = re2.Options()
    options.log_errors = False
    try:
        size = re2.compile(value, options).programsize
    except re2.error as error:
        # The reason quotes a part of the value.
        reason = f"; {error.args[0].decode()}" if show(value) == repr(value) else ""
        raise ValueError(
            f"allowed: a regular expression of RE2, without look-around and backreferences{reason}"
        ) from None
    if size > REGEX_PROGRAM_MAX:
        raise ValueError(
            f"allowed: a regular expression of at most {REGEX_PROGRAM_MAX} instructions; it compiles to {size}. "
            "Use fewer or shorter repetitions"
        )
    return value


def _check_trust_domain(value: str) -> str:
    if any(len(label) > DNS_LABEL_MAX for label in value.split(".")):
        raise ValueError(f"allowed: {_TRUST_DOMAIN.allowed}, with at most {DNS_LABEL_MAX} characters between two dots")
    return value


def _check_path(value: object) -> object:
    if isinstance(value, str) and (not value or not value.isprintable() or "apiVersion" in value):
        raise _unquoted("allowed: the path of a file, and not its content")
    return value


def _pem_by(read: Callable[[str], Value]) -> PlainValidator:
    def check(value: object) -> Value:
        try:
            return read(value if isinstance(value, str) else "")
        except ValueError as error:
            raise _unquoted(error) from None

    return PlainValidator(check)


def _read_ca(value: str) -> str:
    try:
        text = Path(value).read_text() if _is_absolute_path(value) else value
        certificates = pem.read_certificates(text)
    except OSError as error:
        raise ValueError(
            f"got {show_location(value)}; allowed: the path of a readable file of CA certificates. The "
            f"error is: {error.strerror}"
        ) from None
    except ValueError as error:
        raise ValueError(
            f"{error}; allowed: one or more CA certificates, as text or as the absolute path of a file"
        ) from None
    return "".join(map(pem.write_certificate, certificates))


def _is_absolute_path(value: str) -> bool:
    return value.startswith("/") and value.isprintable() and len(value) < PATH_MAX


def _check_memory(value: str) -> str:
    unit = value.lstrip("0123456789.")
    bytes_ = amount(value)
    if unit in {"n", "u", "m"} or 0 < bytes_ < MEMORY_MIN:
        number = value.removesuffix(unit)
        raise ValueError(f"allowed: bytes, at least 4Mi. Megabytes have the unit Mi, as in {number}Mi")
    return value


def amount(quantity: str) -> Decimal:
    """Convert a valid Kubernetes quantity to a number."""
    unit = quantity.lstrip("0123456789.")
    return Decimal(quantity.removesuffix(unit)) * _UNITS[unit] if unit in _UNITS else Decimal(quantity)


_TRUST_DOMAIN = Text(
    allowed="a DNS name, such as cluster.local",
    pattern=rf"{_DNS_LABEL}(\.{_DNS_LABEL})*",
    longest=DNS_NAME_MAX,
)

NonEmpty = Annotated[str, Text(allowed="a string that is not empty, without blanks at its ends", pattern=r"\S(.*\S)?")]
DnsLabel = Annotated[
    str,
    Text(
        allowed=f"a DNS label: a-z, 0-9 and '-', a letter or digit at both ends, at most {DNS_LABEL_MAX} characters",
        pattern=_DNS_LABEL,
        longest=DNS_LABEL_MAX,
    ),
]
Place = Annotated[
    str,
    Text(
        allowed=(
            f"the name of a place, as in a label of a node but without dots: letters, digits, '-' and '_', a letter or "
            f"digit at both ends, at most {DNS_LABEL_MAX} characters"
        ),
        pattern=r"[A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?",
        longest=DNS_LABEL_MAX,
    ),
]
"""A region or a zone; dots would separate both in Istio's label."""
ClusterName = Annotated[
    str,
    Text(
        allowed=(
            f"a DNS label of at most {names.CLUSTER_NAME_MAX} characters, since the common name of the cluster's "
            f"intermediate CA contains it: a-z, 0-9 and '-', a letter or digit at both ends"
        ),
        pattern=_DNS_LABEL,
        longest=names.CLUSTER_NAME_MAX,
    ),
    AfterValidator(_check_cluster_name),
]
TrustDomain = Annotated[str, _TRUST_DOMAIN, AfterValidator(_check_trust_domain)]
HttpsUrl = Annotated[
    str,
    _Url(
        allowed=(
            f"an https:// URL with a host, an optional port up to {PORT_MAX} and an optional path, and without "
            f"credentials, query or fragment"
        ),
        pattern=f"https{_AFTER_SCHEME}",
    ),
]
Charts = Annotated[
    str,
    _Url(
        allowed="an https:// repository or oci:// registry without credentials, or the absolute path of a folder",
        pattern=f"(https|oci){_AFTER_SCHEME}|/.*[^/].*",
    ),
]
ChartVersion = Annotated[
    str, Text(allowed="one version, such as 1.31.1", pattern=r"[0-9]+\.[0-9]+\.[0-9]+(-[-.0-9A-Za-z]+)?")
]
KubeconfigPath = Annotated[Path, BeforeValidator(_check_path)]
RancherClusterId = Annotated[str, Text(allowed="Rancher's id, such as c-f7r9g or local", pattern=r"c-[-a-z0-9]+|local")]
HeaderName = Annotated[
    str,
    Text(
        allowed=(
            f"a header name of at most {HEADER_NAME_MAX} characters in lower case, such as x-team, but not a "
            f"pseudo-header such as :path or a JWT claim"
        ),
        pattern=r"[!#$%&'*+.^_`|~0-9a-z-]+",
        longest=HEADER_NAME_MAX,
    ),
]
HeaderValue = Annotated[
    str,
    Text(
        allowed=f"a string of ASCII of 1 to {HEADER_MAX} characters, without blanks at its ends",
        pattern=r"[!-~]([ -~]*[!-~])?",
        longest=HEADER_MAX,
    ),
]
HeaderPrefix = Annotated[
    str,
    Text(
        allowed=f"a string of ASCII of 1 to {HEADER_MAX} characters, which does not start with a blank",
        pattern=r"[!-~][ -~]*",
        longest=HEADER_MAX,
    ),
]
HeaderRegex = Annotated[
    str,
    AfterValidator(_check_header_regex),
    WithJsonSchema({"type": "string", "format": "regex", "minLength": 1, "maxLength": REGEX_MAX}),
]
NodeSelector = Annotated[
    str, Text(allowed="labels such as role=ingress, joined by commas", pattern=rf"{_LABEL}(,{_LABEL})*")
]
Quantity = Annotated[
    str,
    Text(
        allowed="a Kubernetes quantity, such as 200m, 2 or 64Mi",
        pattern=r"[0-9]+(\.[0-9]+)?([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?",
    ),
]
Memory = Annotated[Quantity, AfterValidator(_check_memory)]
RootCertificate = Annotated[x509.Certificate, _pem_by(root_ca.read_root), WithJsonSchema({"type": "string"})]
CaCertificates = Annotated[str, _pem_by(_read_ca), WithJsonSchema({"type": "string"})]
Hours = Annotated[int, _Whole(1, HOURS_MAX)]
Generation = Annotated[int, _Whole(1, GENERATION_MAX)]
Percent = Annotated[int, _Whole(0, 100)]
PositivePercent = Annotated[int, _Whole(1, 100)]
Errors = Annotated[int, _Whole(1, 100)]
Attempts = Annotated[int, _Whole(0, 10)]
Seconds = Annotated[int, _Whole(1, 3600)]
Replicas = Annotated[int, _Whole(1, 100)]
TokenHours = Annotated[int, _Whole(2, 8760)]
TimeoutSeconds = Annotated[int, _Whole(10, 3600)]
