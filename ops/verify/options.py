"""How to verify; light enough for the command line to load before it knows the command."""

from dataclasses import dataclass
from pathlib import Path

MIN_REQUESTS = 100
MAX_REQUESTS = 10_000
MAX_WAIT_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """
    How to verify.

    Attributes:
        requests: In each request loop.
        wait_seconds: How long istiod and the sidecars may take to learn of each other. Requests are never repeated.
        rancher_token_file: Holds Rancher's token, in place of the stack's encrypted config.
    """

    stack: str
    root: Path
    requests: int
    wait_seconds: float
    rancher_token_file: Path | None = None
