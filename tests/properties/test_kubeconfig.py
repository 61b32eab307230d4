"""Kubeconfigs with arbitrary content."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from mesh import kubeconfigs
from mesh.kubeconfigs import Endpoint
from tests.support import pems
from tests.support.bad_config import ABSENT, Place, places, put
from tests.support.leaks import MARK
from tests.support.stacks import kubeconfig

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?", fullmatch=True)
TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40).filter(
    lambda text: text == text.strip()
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
)
CA = pems.make_root(pems.make_key())
GOOD = yaml.safe_load(kubeconfig("east", ca_pem=CA))
PLACES = list(places(GOOD))
NEEDED = [
    ("kind",),
    ("current-context",),
    *(
        (section, *below)
        for section, kind in (("contexts", "context"), ("clusters", "cluster"), ("users", "user"))
        for below in ((), (0,), (0, "name"), (0, kind))
    ),
    ("contexts", 0, "context", "cluster"),
    ("contexts", 0, "context", "user"),
    ("clusters", 0, "cluster", "server"),
    ("users", 0, "user", "token"),
]
"""The places that a kubeconfig must contain."""


@st.composite
def nearly_valid(draw: st.DrawFn) -> tuple[dict[str, Any], list[Place]]:
    """Draw a valid kubeconfig in which up to three places are junk or missing; return it and these places."""
    document: dict[str, Any] = GOOD
    spoilt: list[Place] = []
    for place in draw(st.lists(st.sampled_from(PLACES), unique=True, max_size=3)):
        if place in places(document):
            document = put(document, place, draw(st.just(ABSENT) | JUNK))
            spoilt.append(place)
    return document, spoilt


@given(name=NAMES, host=NAMES, ca_pem=st.sampled_from([None, CA]), written=TEXTS)
@example(name="123", host="east", ca_pem=None, written="1e3")
@example(name="null", host="east", ca_pem=CA, written="yes")
@example(name="no", host="east", ca_pem=CA, written="- a: b")
def test_what_is_written_is_read_again(name: str, host: str, ca_pem: str | None, written: str) -> None:
    """This includes names and tokens that YAML would parse as numbers, booleans or null."""
    text = kubeconfigs.render_token_kubeconfig(
        name=name, server=f"https://{host}.example", ca_pem=ca_pem, token=written
    )
    assert kubeconfigs.read_endpoint(text) == Endpoint(server=f"https://{host}.example", ca_pem=ca_pem)
    document = yaml.safe_load(text)
    assert document["users"] == [{"name": name, "user": {"token": written}}]
    assert document["current-context"] == name


@given(st.text())
def test_any_text_is_a_kubeconfig_or_a_plain_error(text: str) -> None:
    """No other exception is raised."""
    refusal(text)


@given(nearly_valid())
def test_what_is_nearly_a_kubeconfig_leads_somewhere_or_is_refused_without_quoting_it(
    drawn: tuple[dict[str, Any], list[Place]],
) -> None:
    """The error never contains the token, and an accepted server is the one in the text."""
    document, spoilt = drawn
    said = refusal(yaml.safe_dump(document))
    assert MARK not in said
    if not spoilt:
        assert said == ""
    if said == "":
        server = document["clusters"][0]["cluster"]["server"]
        assert kubeconfigs.read_endpoint(yaml.safe_dump(document)).server == server
        assert server.startswith("https://")
        assert document["users"][0]["user"]["token"]


@pytest.mark.parametrize("place", NEEDED, ids=str)
def test_a_kubeconfig_that_lacks_what_it_needs_is_refused(place: Place) -> None:
    """This covers every step from the current context to the server and the user."""
    said = refusal(yaml.safe_dump(put(GOOD, place, ABSENT)))
    assert said
    assert MARK not in said


@pytest.mark.parametrize("place", [place for place in PLACES if place not in NEEDED], ids=str)
def test_a_kubeconfig_does_without_the_rest(place: Place) -> None:
    """The machine's own CA may be used."""
    assert refusal(yaml.safe_dump(put(GOOD, place, ABSENT))) == ""


def refusal(text: str) -> str:
    """Return the error of a kubeconfig, or an empty text if it is valid."""
    try:
        kubeconfigs.read_endpoint(text)
    except ValueError as error:
        return str(error)
    return ""
