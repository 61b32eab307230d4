"""The names that the program generates, for any valid set of clusters."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.parsing import parse
from errors import UserError
from mesh.names import X509_COMMON_NAME_MAX
from recorder.registrations import Registration
from tests.support import recording
from tests.support.bad_config import put
from tests.support.recording import RecordingMonitor, with_outputs
from tests.support.stacks import LAB, RANCHER, Stack, lab_stack, load_values, rancher_stack

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
HELM_RELEASE_MAX = 53
GOOD = load_values("lab")

# The words that the program adds to a cluster's name, which could make two names equal.
WORDS = st.sampled_from(
    [
        *("a", "b", "root", "trust", "intermediate", "istio", "system", "sample", "helloworld", "v1"),
        *("provider", "peers", "token", "reader", "key", "kubernetes"),
    ]
)
NAMES = st.lists(WORDS, min_size=1, max_size=3).map("-".join) | st.from_regex(
    r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?", fullmatch=True
).filter(lambda name: "to" not in name.split("-"))
CLUSTER_SETS = st.lists(NAMES, min_size=1, max_size=5, unique=True).map(tuple)
HARD = (("root", "trust", "intermediate"), ("w" * 48, "w" * 47, "0"), ("a-b", "a"))
STACKS = (LAB, RANCHER)
SOURCE, TARGET = "zqsource", "zqtarget"
"""Placeholder names of clusters, which are not part of any other name."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """The names of one resource, in all places where it has one."""

    type: str
    logical: str
    cluster: str = ""
    """The provider through which it reaches its cluster."""
    namespace: str = ""
    physical: str = ""
    release: str = ""
    common_name: str = ""
    labels: tuple[str, ...] = ()

    def where(self, **names: str) -> "Named":
        """Return the same names with other clusters in place of the two placeholders."""
        return Named(**{key: _replaced(value, names) for key, value in vars(self).items()})


def _replaced(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - a text or a tuple of texts
    if isinstance(value, tuple):
        return tuple(_replaced(each, names) for each in value)
    return re.sub(f"{SOURCE}|{TARGET}", lambda found: names[found[0]], value)


def record_names(stack: str, folder: Path, names: Sequence[str]) -> set[Named]:
    """Return the names that the program registers."""
    config = lab_stack(folder, names) if stack == LAB else with_clusters(names)
    generation = with_outputs({"hex": "0" * 8})
    monitor = RecordingMonitor(preview=False, stack=stack, makers={recording.RANDOM_ID: generation})
    config.run_on(monitor)
    return {called(monitor, found) for found in monitor.recorded}


def with_clusters(names: Sequence[str]) -> Stack:
    """Return Rancher's stack with other clusters."""
    return rancher_stack().changed(
        clusters=[
            {
                "name": name,
                "network": f"network-{name}",
                "versions": ["v1", "v2"],
                "access": {"kind": "rancher", "clusterId": f"c-{number}"},
            }
            for number, name in enumerate(names)
        ]
    )


def called(monitor: RecordingMonitor, found: Registration) -> Named:
    """Return the names of a registration."""
    metadata = found.inputs.get("metadata", {})
    is_object = found.type.startswith("kubernetes:") and bool(metadata)
    return Named(
        type=found.type,
        logical=found.name,
        cluster=(monitor.provider_name(found) or "") if is_object else "",
        namespace=metadata.get("namespace", ""),
        physical=metadata.get("name", ""),
        release=found.inputs["name"] if found.type == recording.CHART else "",
        common_name=found.inputs.get("subject", {}).get("commonName", ""),
        labels=tuple(metadata.get("labels", {}).values()),
    )


@pytest.fixture(scope="module")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, set[Named]]:
    """Return the names that the program registers for the two placeholder clusters, by stack."""
    folder = tmp_path_factory.mktemp("patterns")
    return {stack: record_names(stack, folder, (SOURCE, TARGET)) for stack in STACKS}


def list_names(patterns: set[Named], names: Sequence[str]) -> list[Named]:
    """Return the names that the program would register for these clusters, without a run."""
    found = []
    for pattern in patterns:
        clusters = [name for name in (SOURCE, TARGET) if name in repr(pattern)]
        # The target's own resources, and its link to the source, have the same patterns.
        if TARGET not in pattern.logical.partition(SOURCE)[0]:
            found += [
                pattern.where(**dict(zip(clusters, chosen, strict=True)))
                for chosen in permutations(names, len(clusters))
            ]
    return found


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("names", [("east",), *HARD])
def test_names_depend_on_the_clusters_names_alone(
    patterns: Mapping[str, set[Named]], tmp_path: Path, stack: str, names: tuple[str, ...]
) -> None:
    """The listed names in the next test are therefore those that the program registers."""
    listed = list_names(patterns[stack], names)
    assert set(listed) == record_names(stack, tmp_path, names)
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize("stack", STACKS)
@given(names=CLUSTER_SETS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(names=HARD[0])
@example(names=HARD[1])
@example(names=HARD[2])
def test_all_names_are_valid_and_unique(patterns: Mapping[str, set[Named]], stack: str, names: tuple[str, ...]) -> None:
    """This holds in Pulumi, which rejects a duplicate, in Kubernetes, in Helm and in X.509."""
    listed = list_names(patterns[stack], names)
    assert_unique([(each.type, each.logical) for each in listed])
    assert_unique([(each.cluster, each.type, each.namespace, each.physical) for each in listed if each.physical])
    # Chain building must not depend on the generation alone.
    assert_unique([each.common_name for each in listed if each.common_name])
    for each in listed:
        form = LABEL if each.type in {recording.NAMESPACE, recording.SERVICE} else SUBDOMAIN
        assert not each.physical or form.fullmatch(each.physical), each
        assert each.namespace in {"", "istio-system", "sample"}
        assert all(LABEL_VALUE.fullmatch(label) for label in each.labels), each
        assert not each.release or (LABEL.fullmatch(each.release) and len(each.release) <= HELM_RELEASE_MAX)
        assert len(each.common_name) <= X509_COMMON_NAME_MAX


def assert_unique(found: Sequence[object]) -> None:
    """Fail if a value occurs twice."""
    assert [each for each, count in Counter(found).items() if count > 1] == []


@given(st.text(max_size=50))
@example("w" * 49)
@example("a-to-b")
@example("to")
@example("west\n")
@example("\N{FULLWIDTH LATIN SMALL LETTER W}est")
def test_a_name_is_a_label_without_the_word_to_or_refused(name: str) -> None:
    """The accepted names are those that the test above generates."""
    values = put(GOOD, ("clusters", 1, "name"), name)
    if LABEL.fullmatch(name) and len(name) <= 48 and "to" not in name.split("-") and name != "east":
        parse(values)
    else:
        with pytest.raises(UserError, match=r"mcsps:clusters\[1\]\.name: "):
            parse(values)


@pytest.mark.parametrize("ambiguous", ["to", "to-b", "b-to", "a-to-b"])
def test_names_that_could_make_two_links_alike_are_refused(ambiguous: str) -> None:
    """The link from `a` to `to-b` and the link from `a-to` to `b` would both be `a-to-to-b`."""
    with pytest.raises(UserError, match="the word 'to'"):
        parse(put(GOOD, ("clusters", 1, "name"), ambiguous))
