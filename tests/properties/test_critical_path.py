"""The critical path of any run."""

from hypothesis import given
from hypothesis import strategies as st

from bench.critical_path import Step, find_critical_path, find_waits


@st.composite
def runs(draw: st.DrawFn) -> list[Step]:
    """Draw steps, each of which starts after those that it needs, in any order."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 12))):
        needed = draw(st.lists(st.sampled_from(steps), unique=True)) if steps else []
        # Whole numbers, because sums of them are exact.
        start = max((each.end for each in needed), default=0) + draw(st.integers(0, 5))
        steps.append(
            Step(
                urn=f"t::{number}",
                op="create",
                group="",
                start=start,
                end=start + draw(st.integers(1, 5)),
                waits_for=tuple(each.urn for each in needed),
            )
        )
    return draw(st.permutations(steps))


@given(steps=runs())
def test_the_critical_path_accounts_for_every_second_until_the_last_end(steps: list[Step]) -> None:
    """Its steps and the gaps between them do not overlap and leave nothing out."""
    path = find_critical_path(find_waits(steps))
    assert path[-1].step.end == max(step.end for step in steps)
    assert sum(wait.step.seconds + wait.gap for wait in path) == path[-1].step.end
    assert path[0].waited_for is None
    assert [wait.waited_for for wait in path[1:]] == [wait.step for wait in path[:-1]]


@given(steps=runs())
def test_a_step_waited_for_one_of_those_that_it_needs_and_for_none_later(steps: list[Step]) -> None:
    """A gap is never negative."""
    ends = {step.urn: step.end for step in steps}
    for wait in find_waits(steps):
        needed = {urn: ends[urn] for urn in wait.step.waits_for}
        assert (wait.waited_for and wait.waited_for.urn in needed) or not needed
        assert wait.gap == wait.step.start - max(needed.values(), default=0) >= 0
