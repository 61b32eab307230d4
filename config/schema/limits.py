"""Quantities that must not exceed others."""

from config.types import amount


def refuse_more(key: str, quantity: str, limit_key: str, limit: str) -> None:
    """
    Refuse a quantity that is larger than its limit.

    Raises:
        ValueError: It is larger; the text names both keys and both quantities.
    """
    if amount(quantity) > amount(limit):
        message = f"{key} is {quantity}; allowed is at most {limit_key}, which is {limit}"
        raise ValueError(message)
