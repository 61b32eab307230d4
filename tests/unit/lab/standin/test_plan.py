"""The search for differences and their display."""

from __future__ import annotations

import pytest

from errors import UserError
from lab.standin import paths
from lab.standin.plan import ABSENT, FieldChange, differences, show
from recorder.values import Secret, Unknown, mark_like


def test_only_the_leaves_that_differ_are_told() -> None:
    """Paths have the form of `ignoreChanges`."""
    before = {"spec": {"weight": 10, "same": 1}, "metadata": {"labels": {"a.b/c": "x"}}}
    after = {"spec": {"weight": 90, "same": 1, "new": 5}, "metadata": {"labels": {}}}
    assert list(differences(before, after)) == [
        FieldChange('metadata.labels["a.b/c"]', "x", ABSENT),
        FieldChange("spec.new", ABSENT, 5),
        FieldChange("spec.weight", 10, 90),
    ]


def test_secrets_are_compared_and_never_shown() -> None:
    """A changed secret is a change, and both values stay hidden at any depth."""
    (change,) = differences({"data": {"key": Secret("old")}}, {"data": {"key": Secret("new")}})
    assert str(change) == "data.key: [secret] => [secret]"
    assert list(differences({"key": Secret("same")}, {"key": "same"})) == []
    assert (
        show({"list": [Secret("hunter2"), {"deep": Secret("hunter2")}]})
        == '{"list": ["[secret]", {"deep": "[secret]"}]}'
    )


def test_unknown_values_differ_from_all_known_ones() -> None:
    """A preview shows them as changes."""
    (change,) = differences({"a": 1}, {"a": Unknown()})
    assert str(change) == "a: 1 => [unknown]"


def test_lists_of_different_length_differ_as_a_whole() -> None:
    """A match by index would show wrong changes."""
    assert list(differences({"a": [1, 2]}, {"a": [1]})) == [FieldChange("a", [1, 2], [1])]
    assert list(differences({"a": [1, 2]}, {"a": [1, 3]})) == [FieldChange("a[1]", 2, 3)]


def test_secret_marks_follow_the_place() -> None:
    """The server's values are marked as the inputs at the same paths; a list with other indexes is marked whole."""
    model = {"env": [{"value": Secret("x")}], "plain": 1}
    assert mark_like({"env": [{"value": "x"}], "plain": 1}, model) == {"env": [{"value": Secret("x")}], "plain": 1}
    assert mark_like({"env": [1, 2]}, model) == {"env": Secret([1, 2])}


def test_ignored_paths_keep_what_is_there() -> None:
    """Values at these paths come from the present object, or are missing if it has none."""
    wanted = {"metadata": {"annotations": {"a/b": "mine", "c": "1"}}, "spec": {"replicas": 1}}
    present = {"metadata": {"annotations": {"a/b": "theirs"}}, "spec": {}}
    assert paths.overlay(wanted, present, ('metadata.annotations["a/b"]', "spec.replicas")) == {
        "metadata": {"annotations": {"a/b": "theirs", "c": "1"}},
        "spec": {},
    }


@pytest.mark.parametrize("path", ["spec.*", "spec[*].x", "a[?(@.b)]"])
def test_paths_that_are_not_understood_are_refused(path: str) -> None:
    """An unsupported path would otherwise be applied."""
    with pytest.raises(UserError, match="not supported"):
        paths.parse(path)


def test_named_items_are_matched_by_name() -> None:
    """An additional variable is one line, not a whole list."""
    before = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
    after = {"env": [{"name": "B", "value": "3"}]}
    assert [change.path for change in differences(before, after)] == ['env["A"]', 'env["B"].value']


def test_long_texts_are_shown_from_where_they_differ() -> None:
    """Otherwise a changed line in a ConfigMap would be cut off."""
    (change,) = differences({"text": "x" * 500 + "here: 1"}, {"text": "x" * 500 + "here: 2"})
    assert str(change).endswith('here: 1" => ...' + str(change).rpartition("...")[2])
    assert "here: 2" in str(change)
    assert len(str(change)) < 120
