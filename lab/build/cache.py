"""
The build cache: what is built once and reused by every run with the same inputs.

An entry is named after a hash of its inputs, filled by one run at a time, and holds whole files alone: everything is
made in a scratch folder beside them and renamed when complete.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from errors import UserError

_KEY_LENGTH = 12
_GIB = 2**30


def root() -> Path:
    """The folder of all entries; `$XDG_CACHE_HOME` counts."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcsps-lab"


def key(parts: Iterable[bytes]) -> str:
    """Hash of inputs, short enough for a folder's name. Where one part ends and the next begins counts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()[:_KEY_LENGTH]


@dataclass(frozen=True)
class Filling:
    """
    The sole right to fill an entry.

    Attributes:
        scratch: Empty folder inside the entry, gone at the end.
        lock: Descriptor for children that write there, so that the right outlives this process with the last of them.
    """

    scratch: Path
    lock: int


@contextmanager
def filling(entry: Path, progress: Progress) -> Iterator[Filling]:
    """
    Hold `entry` alone.

    Waits for another run that fills the same entry; what it has made is there afterwards, so look again.
    """
    entry.mkdir(parents=True, exist_ok=True)
    with (entry / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting = progress.add_task(f"Wait for another run to fill {entry}", total=None)
            fcntl.flock(lock, fcntl.LOCK_EX)
            progress.remove_task(waiting)
        scratch = entry / "tmp"
        # A run that was killed leaves its scratch folder behind.
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            yield Filling(scratch, lock.fileno())
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise UserError unless `needed` bytes are free where `folder` is, which need not exist yet."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise UserError(
            f"{purpose} needs {needed / _GIB:.1f} GiB of disk, and {folder} has {free / _GIB:.1f} GiB free",
            f"Free some space there, or point XDG_CACHE_HOME (now {root().parent}) at a larger disk.",
        )
