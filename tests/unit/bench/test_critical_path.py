"""What each step waited for, and the critical path."""

from bench.critical_path import Step, find_critical_path, find_waits


def step(name: str, start: float, end: float, *waits_for: str) -> Step:
    """Return a step of a resource `t::name`."""
    needed = tuple(f"t::{each}" for each in waits_for)
    return Step(urn=f"t::{name}", op="create", group="", start=start, end=end, waits_for=needed)


def test_a_step_waited_for_the_last_of_those_that_it_needs() -> None:
    """The rest until its start is the time of the program and the engine."""
    steps = [step("late", 0, 4), step("early", 0, 2), step("user", 5, 6, "early", "late"), step("other", 0, 4.5)]
    waits = {wait.step.urn: wait for wait in find_waits(steps)}
    user = waits["t::user"]
    assert (user.waited_for, user.gap) == (steps[0], 1)


def test_a_step_that_needs_none_waited_since_the_start_of_the_command() -> None:
    """It does not wait for a resource without a step, or for a step that ends later."""
    (_, user) = find_waits([step("a", 2, 5), step("user", 3, 4, "unchanged", "a")])
    assert (user.waited_for, user.gap) == (None, 3)


def test_steps_that_take_no_time_wait_for_no_step_of_the_same_moment() -> None:
    """A log with whole seconds has such steps; even in a circle they make no endless path."""
    steps = [step("a", 1, 1, "b"), step("b", 1, 1, "a")]
    assert len(find_critical_path(find_waits(steps))) == 1


def test_of_a_replaced_resource_the_operation_counts_that_ended_before() -> None:
    """Its old object is deleted at the end of the run."""
    steps = [step("a", 1, 2), step("a", 8, 9), step("user", 3, 4, "a")]
    assert [wait.waited_for for wait in find_waits(steps) if wait.step.urn == "t::user"] == [steps[0]]


def test_the_critical_path_ends_with_the_step_that_ended_last() -> None:
    """A step that is no dependency is not on it, however long it takes."""
    steps = [step("key", 1, 2), step("cert", 3, 5, "key"), step("service", 0, 4.9), step("secret", 5, 6, "cert")]
    path = find_critical_path(find_waits(steps))
    assert [wait.step.urn for wait in path] == ["t::key", "t::cert", "t::secret"]
    assert [wait.gap for wait in path] == [1, 1, 0]


def test_a_run_without_steps_has_no_critical_path() -> None:
    """An example is an `up` of an empty program."""
    assert find_critical_path(find_waits([])) == []


def test_a_label_is_the_kind_and_the_name() -> None:
    """A URN also names the stack, the project and the types of all parents."""
    urn = "urn:pulumi:lab::mcsps::mcsps:index:IstioInstall$kubernetes:core/v1:Service::east-istio:istio-system/istiod"
    label = Step(urn=urn, op="create", group="", start=0, end=1, waits_for=()).label
    assert label == "Service east-istio:istio-system/istiod"
