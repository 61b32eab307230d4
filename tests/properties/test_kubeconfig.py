"""Kubeconfigs, whatever is in them."""

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from mesh import kubeconfigs
from mesh.kubeconfigs import Endpoint
from tests.support.leaks import MARK
from tests.support.stacks import kubeconfig

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
PLACES = st.sampled_from(["kind", "current-context", "contexts", "clusters", "users"])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
)


@given(name=NAMES, host=NAMES, ca_pem=st.none() | TEXTS, written=TEXTS)
@example(name="123", host="east", ca_pem=None, written="1e3")
@example(name="null", host="east", ca_pem="ca", written="yes")
@example(name="no", host="east", ca_pem="ca", written="- a: b")
def test_what_is_written_is_read_again(name: str, host: str, ca_pem: str | None, written: str) -> None:
    """Also names and tokens that YAML would take for numbers, truths or nothing."""
    text = kubeconfigs.render_token_kubeconfig(name=name, server=f"https://{host}", ca_pem=ca_pem, token=written)
    assert kubeconfigs.read_endpoint(text) == Endpoint(server=f"https://{host}", ca_pem=ca_pem)
    document = yaml.safe_load(text)
    assert document["users"] == [{"name": name, "user": {"token": written}}]
    assert document["current-context"] == name


@given(st.text())
def test_any_text_is_a_kubeconfig_or_a_plain_error(text: str) -> None:
    """Never another exception."""
    refusal(text)


@given(place=PLACES, junk=JUNK)
def test_junk_in_a_kubeconfig_is_refused_without_quoting_the_rest(place: str, junk: object) -> None:
    """Whatever is wrong, the token beside it is not told."""
    document = yaml.safe_load(kubeconfig("east"))
    document[place] = junk
    assert MARK not in refusal(yaml.safe_dump(document))


def refusal(text: str) -> str:
    """Why a kubeconfig is refused; nothing if it is not."""
    try:
        kubeconfigs.read_endpoint(text)
    except ValueError as error:
        return str(error)
    return ""
