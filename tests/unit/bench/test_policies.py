"""The measured policy pack."""

from bench.policies import RESOURCES, Judged, measure


def test_the_pack_judges_as_many_resources_as_it_is_told() -> None:
    """The pack judges them one by one, and as a stack."""
    reported: list[str] = []
    judged = measure(20, reported.append)
    assert reported == ["judging 20 resources"]
    assert judged.resources == 20 < RESOURCES
    assert min(judged.each_seconds, judged.stack_seconds) > 0


def test_a_preview_waits_for_both() -> None:
    """The pack judges each resource when it is registered, and the stack at the end."""
    assert Judged(1, 2, 3).seconds == 5
