"""Fake secrets that are easy to find, and the search for them."""

import base64
from collections.abc import Iterable, Iterator

from recorder.monitor import Monitor

MARK = "this-must-stay-secret"
"""The text that every fake secret contains."""

# Base64 encodes 3 bytes as 4 characters, so the mark has 3 encodings; these are their parts without the neighbours.
_OWN_CHARACTERS = ((0, 0), (1, 2), (2, 3))


def fake_secret(what: str) -> str:
    """Return a secret that `find_leaks` finds."""
    return f"{MARK}:{what}"


def encodings(text: str) -> Iterator[str]:
    """Yield the forms of `text`: plain, and in base64 at any offset."""
    yield text
    for padding, first in _OWN_CHARACTERS:
        encoded = base64.b64encode(b"\0" * padding + text.encode()).decode()
        yield encoded[first:-4]


def find_leaks(monitor: Monitor, *texts: str, secrets: Iterable[str] = (MARK,)) -> list[str]:
    """
    Return the places where a secret is in plain text.

    Args:
        monitor: The registrations of a program; the repr of its `Secret` values is hidden.
        texts: Logs and other output of the program.
        secrets: The secrets to search for, without line breaks.
    """
    forms = [form for secret in secrets for form in encodings(secret)]
    places = {
        **{f"registration of {urn}": repr(found) for urn, found in monitor.registrations.items()},
        **{f"outputs of {urn}": repr(outputs) for urn, outputs in monitor.component_outputs.items()},
        **{f"text {number}": text for number, text in enumerate(texts)},
    }
    return sorted(place for place, text in places.items() if any(form in text for form in forms))
