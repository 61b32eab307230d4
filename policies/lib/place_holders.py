"""Texts that stand in the place of a secret: templates, references and words of documentation."""

import re

_FORMS = re.compile(
    r"""
    [<\[{].*[>\]}]                      # <token>, [token], {token} and {{ .Values.token }}
    | \$[({]?[\w.:-]+[)}]?              # $TOKEN, ${TOKEN} and $(TOKEN)
    | %\(?\w+\)?[%s]? | @\w+@ | __\w+__
    | [xX*.#_-]{3,}
    | [A-Z][A-Z0-9]*(_[A-Z0-9]+)+       # REPLACE_ME
    | (?i:pass|passwd|password|pwd|secret|token|string|value|none|null)
    """,
    re.VERBOSE,
)
_WORDS = re.compile(
    r"change[-_ ]?me|replace|redacted|omitted|place[-_ ]?holder|example|dummy|\byour[-_ ]|\{\{|\$\{|\$\(", re.IGNORECASE
)


def is_place_holder(text: str) -> bool:
    """Whether a text stands in the place of a secret, or is empty."""
    bare = text.strip("\"' \t\r\n")
    return not bare or _FORMS.fullmatch(bare) is not None or _WORDS.search(bare) is not None
