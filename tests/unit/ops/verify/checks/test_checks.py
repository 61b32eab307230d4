"""The common rules of the checks, and the effort to add one."""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console

from ops.verify import table
from ops.verify.check import Cause, Check, CheckState, Result, Subject
from ops.verify.checks import CAUSES, CHECKS
from ops.verify.collect import collect
from ops.verify.diagnosis import conclude, diagnose
from ops.verify.facts import Fact, Inspection, MeshFacts
from tests.support.api_double import ApiDouble
from tests.support.mesh import healthy_mesh, inspection, stack_settings

LEASE_LOST = Cause(name="lease lost", meaning="x", remedy="take it again", rank=0)


def read(inspection: Inspection) -> str:
    """Read a fact, and count the reads."""
    read_by[inspection.cluster.name] += 1
    return str(inspection.api.version())


LEASE = Fact(name="lease", read=read, unknown="")
read_by: Counter[str] = Counter()


def evaluate(subject: Subject) -> Iterator[Result]:
    """Fail if there is no lease."""
    lease = subject.cluster.get(LEASE)
    yield Result(state=CheckState.of(passed=bool(lease)), seen=lease or "no lease", cause=None if lease else LEASE_LOST)


NEW = Check(
    id="lease-held",
    meaning="x",
    order=1000,
    column="lease",
    needs=(LEASE,),
    uses=(LEASE,),
    evaluate=evaluate,
    causes=(LEASE_LOST,),
)


def test_ids_are_those_that_machines_read() -> None:
    """An id never changes. A new check adds its id to this list."""
    assert {check.id for check in CHECKS} == {
        "api-reachable", "istiod-ready", "network-label", "mesh-root", "service-present", "sameness",
        "gateway-reachable", "remote-secret", "remote-synced", "client-pod", "endpoints", "crossing",
        "traffic-ingress", "traffic-client", "deployments-scaled",
    }  # fmt: skip


def test_what_names_a_check_is_its_own() -> None:
    """Of two checks with the same id, order or column, one would hide the other."""
    facts = {fact for check in CHECKS for fact in (*check.needs, *check.uses)}
    for names in (
        [check.id for check in CHECKS],
        [check.order for check in CHECKS],
        [check.column for check in CHECKS if check.column],
        [fact.name for fact in facts],
        [cause.name for cause in CAUSES],
    ):
        assert len(set(names)) == len(names)


def test_every_check_says_what_to_look_at() -> None:
    """The text is the check's hint, or the remedies of its causes."""
    assert [check.id for check in CHECKS if not check.meaning or not (check.hint or check.causes)] == []


def test_a_new_check_needs_no_other_place() -> None:
    """Its fact is read once, its result is in the report, and its cause is shown with the remedy."""
    read_by.clear()
    facts = collect(inspection(ApiDouble()), (NEW, replace(NEW, id="another")))
    assert read_by == {"east": 1}
    mesh = MeshFacts(clusters=(facts,))
    (good,) = diagnose(mesh, stack_settings(), (NEW,)).checks
    assert (good.id, good.state, good.seen) == ("lease-held", CheckState.PASSED, "v1.35.4")
    lost = replace(mesh, clusters=(replace(facts, values={LEASE: ""}),))
    diagnosis = diagnose(lost, stack_settings(), (NEW,))
    (bad,) = diagnosis.checks
    assert (bad.state, bad.cause, bad.remedy) == (CheckState.FAILED, "lease lost", "take it again")
    assert [(cause.cause, cause.cluster, cause.remedy) for cause in diagnosis.causes] == [
        ("lease lost", "east", "take it again")
    ]


def test_a_check_whose_facts_a_test_leaves_out_says_nothing() -> None:
    """A new check therefore does not break the tests of other checks."""
    assert diagnose(healthy_mesh(), stack_settings(), (NEW,)).checks == ()


def test_the_table_has_a_column_for_each_check_that_wants_one() -> None:
    """The columns have the order of the checks."""
    out = io.StringIO()
    table.show(conclude(healthy_mesh(), stack_settings(), stack="lab", requests=1000), Console(file=out, width=250))
    (header,) = (line for line in out.getvalue().splitlines() if "istiod" in line and "API" in line)
    columns = [cell.strip() for cell in header.strip("┃ ").split("┃")]
    assert columns == ["cluster", *(check.column for check in CHECKS if check.column)]
