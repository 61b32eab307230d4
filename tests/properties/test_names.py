"""Names that the program makes, for any cluster set that it takes."""

import re
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from components import _names
from settings import ConfigError, parse
from tests.support import recording
from tests.support.bad_config import put
from tests.support.recording import RecordingMonitor
from tests.support.stacks import lab_stack, load_values

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
HELM_RELEASE_MAX = 53
GOOD = load_values("lab")

# The words that the program puts beside a cluster's name: what could make two names alike.
WORDS = st.sampled_from(
    [
        *("a", "b", "root", "trust", "intermediate", "istio", "system", "sample", "helloworld", "v1"),
        *("provider", "peers", "token", "reader", "key", "kubernetes"),
    ]
)
NAMES = st.lists(WORDS, min_size=1, max_size=3).map("-".join) | st.from_regex(
    r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?", fullmatch=True
).filter(lambda name: "to" not in name.split("-"))
CLUSTER_SETS = st.lists(NAMES, min_size=1, max_size=2, unique=True).map(tuple)


@given(names=CLUSTER_SETS)
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(names=("root", "trust", "intermediate"))
@example(names=("w" * 48, "w" * 47, "0"))
@example(names=("a-b", "a"))
def test_all_names_are_valid_and_unique(tmp_path: Path, names: tuple[str, ...]) -> None:
    """In Pulumi, where a double would stop the program, in Kubernetes, in Helm and in X.509."""
    monitor = lab_stack(tmp_path, names).run()
    check_objects(monitor)
    check_subjects(monitor)
    releases = [found.inputs["name"] for found in monitor.find_all(recording.CHART)]
    assert all(LABEL.fullmatch(name) and len(name) <= HELM_RELEASE_MAX for name in releases)
    links = monitor.find_all("mcsps:index:MeshLink")
    assert {(found.inputs["source"], found.inputs["target"]) for found in links} == set(permutations(names, 2))


def check_objects(monitor: RecordingMonitor) -> None:
    """Names, namespaces, labels and Secret keys of everything that Kubernetes is to keep."""
    seen = set()
    for found in monitor.recorded:
        metadata = found.inputs.get("metadata")
        if not found.type.startswith("kubernetes:") or metadata is None:
            continue
        name, namespace = metadata["name"], metadata.get("namespace")
        form = LABEL if found.type in {recording.NAMESPACE, recording.SERVICE} else SUBDOMAIN
        assert form.fullmatch(name), name
        assert namespace in {None, "istio-system", "sample"}
        assert all(LABEL_VALUE.fullmatch(value) for value in metadata.get("labels", {}).values())
        identity = (monitor.provider_name(found), found.inputs["kind"], namespace, name)
        assert identity not in seen
        seen.add(identity)


def check_subjects(monitor: RecordingMonitor) -> None:
    """Subjects of all CAs: each its own, and no part longer than X.509 allows."""
    subjects = [
        found.inputs["subject"]
        for found in monitor.find_all(recording.CERT_REQUEST) + monitor.find_all(recording.SELF_SIGNED_CERT)
    ]
    assert len({tuple(sorted(subject.items())) for subject in subjects}) == len(subjects)
    # Path building must not hang on the generation alone.
    assert len({subject["commonName"] for subject in subjects}) == len(subjects)
    assert all(len(subject["commonName"]) <= _names.X509_COMMON_NAME_MAX for subject in subjects)
    assert all(len(part) <= _names.X509_COMMON_NAME_MAX for subject in subjects for part in subject.values())


@given(st.text(max_size=50))
@example("w" * 49)
@example("a-to-b")
@example("to")
@example("west\n")
@example("\N{FULLWIDTH LATIN SMALL LETTER W}est")
def test_a_name_is_a_label_without_the_word_to_or_refused(name: str) -> None:
    """What is taken is what the test above is about."""
    values = put(GOOD, ("clusters", 1, "name"), name)
    if LABEL.fullmatch(name) and len(name) <= 48 and "to" not in name.split("-") and name != "east":
        parse(values)
    else:
        with pytest.raises(ConfigError, match=r"mcsps:clusters\[1\]\.name: "):
            parse(values)


@pytest.mark.parametrize("ambiguous", ["to", "to-b", "b-to", "a-to-b"])
def test_names_that_could_make_two_links_alike_are_refused(ambiguous: str) -> None:
    """`a` to `to-b` and `a-to` to `b` would both be `a-to-to-b`."""
    with pytest.raises(ConfigError, match="the word 'to'"):
        parse(put(GOOD, ("clusters", 1, "name"), ambiguous))
