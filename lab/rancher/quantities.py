"""Quantities of resources, with Kubernetes' arithmetic and notation: pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from kubernetes.utils.quantity import format_quantity, parse_quantity

Resources = dict[str, str]
"""Quantities by Kubernetes' name of the resource, such as `limits.cpu`."""

_BINARY = ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki", "")
_DECIMAL = ("E", "P", "T", "G", "M", "k", "", "m", "u", "n")


def parse(quantity: str) -> Decimal:
    """
    Return the number of a quantity.

    Raises:
        ValueError: It is not a quantity.
    """
    return Decimal(parse_quantity(quantity))  # type: ignore[no-untyped-call]


def canonical(value: Decimal, *, is_binary: bool) -> str:
    """Return a number with the largest suffix that keeps it an integer, as Kubernetes writes it."""
    if not value:
        return "0"
    for suffix in _BINARY if is_binary else _DECIMAL:
        text = str(format_quantity(value, suffix)) if suffix else format(value, "f")
        number = Decimal(text.removesuffix(suffix))
        if number == number.to_integral_value():
            return f"{number.quantize(Decimal(1)):f}{suffix}"
    return format(value, "f")


def add(lists: Iterable[Mapping[str, str]]) -> Resources:
    """Return the sums; a sum uses powers of 1024 if the first quantity of its resource does."""
    sums: dict[str, Decimal] = {}
    is_binary: dict[str, bool] = {}
    for resources in lists:
        for name, quantity in resources.items():
            sums[name] = sums.get(name, Decimal(0)) + parse(quantity)
            is_binary.setdefault(name, quantity.endswith("i"))
    return {name: canonical(value, is_binary=is_binary[name]) for name, value in sums.items()}


def same(left: Mapping[str, str], right: Mapping[str, str]) -> bool:
    """Return whether both have equal quantities, in any notation."""
    return left.keys() == right.keys() and all(parse(left[name]) == parse(right[name]) for name in left)


def render(resources: Mapping[str, str]) -> str:
    """Return the quantities in the notation of Rancher's messages."""
    written = {name: canonical(parse(it), is_binary=it.endswith("i")) for name, it in resources.items()}
    return ",".join(f"{name}={written[name]}" for name in sorted(written))
