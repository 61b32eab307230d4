"""Whether a peer's API server accepts the remote secret."""

from collections.abc import Iterator

from ops.verify.check import Check, CheckState, Result, Subject
from ops.verify.links import CREDENTIAL_WRONG, REMOTE_NOT_SYNCED, REMOTES, SYNCED, RemoteFacts, evidence, link_cause
from ops.verify.remote import UNTRIED, CredentialState


def _evaluate(subject: Subject) -> Iterator[Result]:
    for link in subject.cluster.get(REMOTES):
        state = _state(link)
        yield Result(
            state=state,
            seen=f"{link.credential}: {link.detail}",
            peer=link.peer,
            cause=link_cause(subject, link) if state is CheckState.FAILED else None,
            evidence=evidence(link),
        )


def _state(link: RemoteFacts) -> CheckState:
    if link.credential is CredentialState.ACCEPTED:
        return CheckState.PASSED
    # What istiod reads with it cannot be wrong, though this machine could not try it.
    return CheckState.WARNING if link.credential in UNTRIED and link.sync == SYNCED else CheckState.FAILED


CHECK = Check(
    id="remote-secret",
    meaning="There is a labelled remote secret for each peer, and the peer's API server accepts it.",
    order=80,
    column="remote secrets",
    needs=(REMOTES,),
    evaluate=_evaluate,
    causes=(CREDENTIAL_WRONG, REMOTE_NOT_SYNCED),
    hint="Check whether istiod runs, and whether the server that the secret names is the peer's API",
)
