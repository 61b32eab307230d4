"""Fake secrets that are easy to find again, and the search for them."""

import base64
from collections.abc import Iterable, Iterator

from recorder.monitor import Monitor

MARK = "this-must-stay-secret"
"""Part of every fake secret."""

# Base64 turns 3 bytes into 4 characters: where the mark may begin within a group, and what is its own alone.
_OWN_CHARACTERS = ((0, 0), (1, 2), (2, 3))


def fake_secret(what: str) -> str:
    """Make a secret that `find_leaks` knows."""
    return f"{MARK}:{what}"


def encodings(text: str) -> Iterator[str]:
    """The forms in which `text` may appear: as it is, and inside base64 at any offset."""
    yield text
    for padding, first in _OWN_CHARACTERS:
        encoded = base64.b64encode(b"\0" * padding + text.encode()).decode()
        yield encoded[first:-4]


def find_leaks(monitor: Monitor, *texts: str, secrets: Iterable[str] = (MARK,)) -> list[str]:
    """
    Name the places where a secret stands in the open.

    Args:
        monitor: What a program registered; its `Secret` values show nothing of themselves in a repr.
        texts: Logs and other output of the program.
        secrets: What to look for; strings without line breaks.
    """
    forms = [form for secret in secrets for form in encodings(secret)]
    places = {
        **{f"registration of {urn}": repr(found) for urn, found in monitor.registrations.items()},
        **{f"outputs of {urn}": repr(outputs) for urn, outputs in monitor.component_outputs.items()},
        **{f"text {number}": text for number, text in enumerate(texts)},
    }
    return sorted(place for place, text in places.items() if any(form in text for form in forms))
