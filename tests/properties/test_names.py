"""The names that the program generates, for any valid set of clusters."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from config.parsing import parse
from errors import UserError
from mesh import names
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
        *("provider", "peers", "token", "reader", "key", "kubernetes", "app", "project"),
    ]
)
NAMES = st.lists(WORDS, min_size=1, max_size=3).map("-".join) | st.from_regex(
    r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?", fullmatch=True
).filter(lambda name: "to" not in name.split("-"))
CLUSTER_SETS = st.lists(NAMES, min_size=1, max_size=5, unique=True).map(tuple)
HARD = (
    ("root", "trust", "intermediate"),
    ("w" * 48, "w" * 47, "0"),
    ("a-b", "a"),
    ("trust-intermediate-a", "a-peers-token"),
)
STACKS = (LAB, RANCHER)
SOURCE, TARGET = "zqsource", "zqtarget"
"""Placeholder names of clusters, which are not part of any other name."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """The names of one resource, in all places where it has one."""

    urn: str
    type: str
    logical: str
    cluster: str = ""
    """The provider through which it reaches its cluster, or Rancher's id of the cluster."""
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
                "access": {"kind": "rancher", "clusterId": f"c-{name}"},
            }
            for name in names
        ]
    )


def called(monitor: RecordingMonitor, found: Registration) -> Named:
    """Return the names of a registration."""
    metadata = found.inputs.get("metadata", {})
    of_rancher = found.type.startswith("rancher2:")
    is_object = found.type.startswith("kubernetes:") and bool(metadata)
    return Named(
        urn=found.urn,
        type=found.type,
        logical=found.name,
        cluster=(monitor.provider_name(found) or "") if is_object else found.inputs.get("clusterId", ""),
        namespace=metadata.get("namespace", ""),
        physical=metadata.get("name", "") or (found.inputs.get("name", "") if of_rancher else ""),
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
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(names=HARD[0])
@example(names=HARD[1])
@example(names=HARD[2])
@example(names=HARD[3])
@example(names=("prod", "prod-app"))
def test_all_names_are_valid_and_unique(patterns: Mapping[str, set[Named]], stack: str, names: tuple[str, ...]) -> None:
    """This holds in Pulumi, which rejects a duplicate, in Kubernetes, in Helm and in X.509."""
    assume(is_accepted(stack, names))
    listed = list_names(patterns[stack], names)
    assert_unique([each.urn for each in listed])
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


def is_accepted(stack: str, names: Sequence[str]) -> bool:
    """Whether the program takes clusters of these names."""
    values = with_clusters(names).values if stack == RANCHER else {**GOOD, "clusters": by_kubeconfig(names)}
    try:
        parse(values)
    except UserError:
        return False
    return True


def by_kubeconfig(names: Sequence[str]) -> list[dict[str, Any]]:
    """The config of clusters of these names, with access by kubeconfig."""
    return [
        {
            "name": name,
            "network": f"network-{name}",
            "versions": ["v1", "v2"],
            "access": {"kind": "kubeconfig", "path": f"/{name}"},
        }
        for name in names
    ]


@pytest.mark.parametrize("name", ["prod", "a", "app"])
@pytest.mark.parametrize("is_first", [True, False])
def test_names_whose_projects_would_be_one_are_refused(name: str, *, is_first: bool) -> None:
    """Only with access by Rancher, where there are projects; the message says which two."""
    names = (name, f"{name}-app") if is_first else (f"{name}-app", name)
    index = names.index(name)
    with pytest.raises(UserError) as caught:
        parse(with_clusters(names).values)
    assert (
        f"mcsps:clusters[{index}].name: got '{name}', and another cluster is '{name}-app', so two Rancher projects "
        f"would both be '{name}-app-project' in the state; allowed with access rancher: a name that gives its "
        "project another name. Rename the cluster that is not deployed yet" in str(caught.value)
    )
    assert is_accepted(LAB, names)
    assert is_accepted(RANCHER, (name, f"{name}-apps"))


@given(words=st.lists(WORDS, min_size=2, max_size=6), one=st.integers(1, 5), other=st.integers(1, 5))
def test_two_stacks_whose_rancher_users_would_be_one_are_told_apart(words: list[str], one: int, other: int) -> None:
    """By the description of the user's role: a mesh id and a cluster's name can be cut in two ways."""
    (mesh, cluster), (other_mesh, other_cluster) = (
        ("-".join(words[:cut]), "-".join(words[cut:])) for cut in (min(at, len(words) - 1) for at in (one, other))
    )
    assert names.peers_user(mesh, cluster) == names.peers_user(other_mesh, other_cluster)
    descriptions = {names.peers_role_description(each) for each in (cluster, other_cluster)}
    assert len(descriptions) == len({(mesh, cluster), (other_mesh, other_cluster)})


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
