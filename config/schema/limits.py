"""A check for quantities that must not exceed others."""

from config.types import amount
from errors import show_name


def refuse_more(key: str, quantity: str, limit_key: str, limit: str) -> None:
    """
    Refuse a quantity that is larger than its limit.

    Raises:
        ValueError: It is larger. The message starts with the key within the section.
    """
    if amount(quantity) > amount(limit):
        raise ValueError(
            f".{key}: got {show_name(quantity)}; allowed: at most {limit_key}, which is {show_name(limit)}"
        )
