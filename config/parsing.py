"""
Turns the plain values of a stack config into `Settings`, or into an error for each wrong key.

Needs neither Pulumi nor secrets, so the tools beside the program use it too.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.base import NAMESPACE
from config.schema.settings import Settings, known_keys
from config.secrets import SECRET_KEYS
from errors import UserError, find_secret, show

ACCESS_KINDS = ("kubeconfig", "rancher")
A_KIND = f"allowed: {' or '.join(ACCESS_KINDS)}"
ALLOWED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "enum": "{expected}",
    "model_attributes_type": "a mapping",
    "model_type": "a mapping",
    "path_type": "the path of a file",
    "string_type": "a string. Quote it if YAML reads another type",
    "too_short": "a list of {min_length} or more",
    "tuple_type": "a list",
}
"""What is allowed, by pydantic's error type. Other errors say it themselves, and their value may be a secret."""


def parse(values: Mapping[str, object]) -> Settings:
    """
    Parse and check plain config values.

    Args:
        values: The values by key, without the `mcsps:` prefix.

    Raises:
        UserError: The config is invalid; the message has one line for each wrong key.
    """
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise _refusal(_describe(detail) for detail in details if not _only_follows(detail)) from None
    leaked = [
        f"{_key(place)}: got {kind}; allowed: no secret but {' and '.join(SECRET_KEYS)}. Treat it as leaked, and "
        f"replace it by a new one"
        for place, text in _texts(values)
        if (kind := find_secret(text))
    ]
    if leaked:
        raise _refusal(leaked)
    return settings


def _refusal(lines: Iterable[str]) -> UserError:
    return UserError("the stack's config is invalid:\n" + "\n".join(f"  {line}" for line in lines))


def _texts(value: object, place: tuple[int | str, ...] = ()) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """All texts in a value by their places; a key that is a secret has the place of its mapping."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield place, str(key)
            yield from _texts(item, place if find_secret(str(key)) else (*place, str(key)))
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from _texts(item, (*place, index))


def _only_follows(detail: ErrorDetails) -> bool:
    """Whether an error is due to others: a list counts as too short without its wrong items."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _describe(detail: ErrorDetails) -> str:
    key, message, got = _key(detail["loc"]), detail["msg"].removeprefix("Value error, "), detail["input"]
    match detail["type"]:
        case _ if message.startswith(f"{NAMESPACE}:"):
            return message
        case "extra_forbidden":
            text = _describe_unknown_key(*detail["loc"])
        case "missing":
            text = f"{key}: missing. Set it in Pulumi.<stack>.yaml"
        case "union_tag_not_found":
            text = f"{key}.kind: missing; {A_KIND}"
        case "union_tag_invalid":
            text = f"{key}.kind: got {show(detail['ctx']['tag'])}; {A_KIND}"
        case _ if message.startswith("."):
            # A section's check names the key within the section.
            text = f"{key}{message}"
        case "value_error" if message.startswith("allowed: "):
            text = f"{key}: got {show(got)}; {message}"
        case type_ if type_ in ALLOWED:
            text = f"{key}: got {show(got)}; allowed: {ALLOWED[type_].format(**detail.get('ctx', {}))}"
        case _:
            text = f"{key}: {message}"
    return text


def _key(place: Sequence[int | str]) -> str:
    # Pydantic adds the kind of a tagged union to the place; the user's file has no such level.
    parts = [part for before, part in pairwise(("", *place)) if before != "access" or part not in ACCESS_KINDS]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"{NAMESPACE}:{text.lstrip('.')}".removesuffix(":")


def _describe_unknown_key(*place: int | str) -> str:
    *section, key = place
    allowed = known_keys(section)
    close = difflib.get_close_matches(str(key), allowed, n=1)
    hint = f". Did you mean '{close[0]}'?" if close else ""
    return f"{_key(section)}: unknown key {show(key)}; allowed: {', '.join(allowed)}{hint}"
