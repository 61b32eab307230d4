"""
Plain values in, `Settings` out: typed, validated, and every error names its key.

Needs neither Pulumi nor a secret, so it serves the tools beside the program too.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.base import NAMESPACE
from config.schema.settings import Settings, known_keys
from errors import UserError

ACCESS_KINDS = ("kubeconfig", "rancher")


SHOWN_MAX = 80


A_KIND = f"allowed is {' or '.join(ACCESS_KINDS)}"


ALLOWED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "enum": "{expected}",
    "model_attributes_type": "a mapping",
    "model_type": "a mapping",
    "path_type": "the path of a file",
    "string_type": "a text, which needs quotes where YAML would read something else",
    "too_short": "a list of {min_length} or more",
    "tuple_type": "a list",
}
"""By pydantic's type of an error. Any other says itself what is allowed, and its value may be a secret."""


def parse(values: Mapping[str, object]) -> Settings:
    """
    Check the plain config values, given by key without the `mcsps:` prefix.

    Raises:
        UserError: One line for each key that is wrong.
    """
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [_describe(detail) for detail in error.errors(include_url=False)]
        raise UserError("the stack's config cannot work:\n" + "\n".join(f"  {line}" for line in lines)) from None


def _describe(detail: ErrorDetails) -> str:
    key, said, got = _key(detail["loc"]), detail["msg"].removeprefix("Value error, "), detail["input"]
    match detail["type"]:
        case _ if said.startswith(f"{NAMESPACE}:"):
            return said
        case "extra_forbidden":
            text = _describe_unknown_key(*detail["loc"])
        case "missing":
            text = f"{key}: missing; set it in Pulumi.<stack>.yaml"
        case "union_tag_not_found":
            text = f"{key}.kind: missing; {A_KIND}"
        case "union_tag_invalid":
            text = f"{key}.kind: got {show(detail['ctx']['tag'])}; {A_KIND}"
        case "value_error" if not isinstance(got, Mapping | list):
            text = f"{key}: got {show(got)}; {said}"
        case type_ if type_ in ALLOWED:
            text = f"{key}: got {show(got)}; allowed is {ALLOWED[type_].format(**detail.get('ctx', {}))}"
        case _:
            text = f"{key}: {said}"
    return text


def _key(place: Sequence[int | str]) -> str:
    # Pydantic puts the chosen kind of a tagged union into the place; the user's file has no such level.
    parts = [part for before, part in pairwise(("", *place)) if before != "access" or part not in ACCESS_KINDS]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return f"{NAMESPACE}:{text.lstrip('.')}".removesuffix(":")


def _describe_unknown_key(*place: int | str) -> str:
    *section, key = place
    allowed = known_keys(section)
    close = difflib.get_close_matches(str(key), allowed, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else "."
    return f"{_key(section)}: unknown key {show(key)}{hint} Allowed: {', '.join(allowed)}"


def show(got: object, at_most: int = SHOWN_MAX) -> str:
    """Quote a value for an error text, or only its length where it may be a secret under the wrong key."""
    if isinstance(got, Mapping):
        return "a mapping"
    if isinstance(got, list):
        return f"a list of {len(got)}"
    shown = json.dumps(got) if got is None or isinstance(got, bool) else repr(got)
    # Long or of several lines is a key, a token or a kubeconfig, which maybe belongs under a secret key.
    is_open = len(shown) <= at_most and str(got).isprintable()
    return shown if is_open else f"a value of {len(str(got))} characters"
