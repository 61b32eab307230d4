"""
The state of the stand-in: one file for each stack, which only its owner can read.

The file contains private keys in plain text, which Pulumi's state encrypts. It is replaced as a whole after every
resource, so that a killed run loses at most the resources in flight.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from errors import UserError
from lab import spec
from lab.machine import files
from recorder.values import Properties, from_wire, to_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE_DIR: Final = spec.STATE_DIR / "engine"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One resource as it was last applied."""

    urn: str
    type: str
    id: str = ""
    parent: str | None = None
    provider: str | None = None
    """The URN of the provider resource."""
    dependencies: tuple[str, ...] = ()
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str | None = None
    replacement_trigger: object = None
    pending: bool = False
    """True from before the first request to the cluster or server until the resource is ready."""

    @property
    def needs(self) -> frozenset[str]:
        """The URNs of resources that must not be deleted before this one."""
        return frozenset(self.dependencies) | {urn for urn in (self.parent, self.provider) if urn is not None}


class State:
    """The entries of one stack; safe to use from several threads."""

    def __init__(self, file: Path, entries: dict[str, Entry]) -> None:
        self._file = file
        self._entries = entries
        self._lock = Lock()

    @classmethod
    def load(cls, stack: str, directory: Path = STATE_DIR) -> State:
        """
        Read a stack's state, which is empty before the first run.

        Raises:
            UserError: The file exists, but is no state or cannot be read.
        """
        file = directory / f"{stack}.json"
        try:
            listed = json.loads(file.read_text())["resources"]
            entries = [Entry(**_read(item)) for item in listed]
        except FileNotFoundError:
            return cls(file, {})
        except OSError as error:
            raise UserError(f"{file} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"{file} is not a state of this engine", "Move it away to start with an empty state"
            ) from None
        return cls(file, {entry.urn: entry for entry in entries})

    def get(self, urn: str) -> Entry | None:
        """Return the entry of a resource; None if there is none."""
        with self._lock:
            return self._entries.get(urn)

    def entries(self) -> dict[str, Entry]:
        """Return a copy of all entries, by URN."""
        with self._lock:
            return dict(self._entries)

    def put(self, entry: Entry) -> None:
        """Add or replace the entry of a resource."""
        with self._lock:
            if self._entries.get(entry.urn) == entry:
                return
            self._entries[entry.urn] = entry
            self._write()

    def remove(self, urn: str) -> None:
        """Remove the entry of a resource."""
        with self._lock:
            if self._entries.pop(urn, None) is not None:
                self._write()

    def rename(self, old: str, new: str) -> None:
        """Change the URN of a resource in its entry and in all references to it."""
        with self._lock:
            entry = self._entries.pop(old)
            self._entries[new] = replace(entry, urn=new)
            self._entries = {
                urn: replace(
                    other,
                    parent=new if other.parent == old else other.parent,
                    provider=new if other.provider == old else other.provider,
                    dependencies=tuple(new if d == old else d for d in other.dependencies),
                    deleted_with=new if other.deleted_with == old else other.deleted_with,
                )
                for urn, other in self._entries.items()
            }
            self._write()

    def _write(self) -> None:
        text = json.dumps({"resources": [_write(entry) for entry in self._entries.values()]})
        fresh = self._file.with_suffix(".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as opened:
                os.fchmod(opened.fileno(), 0o600)
                opened.write(text)
            fresh.replace(self._file)
        except OSError as error:
            raise UserError(f"{self._file} cannot be written: {error.strerror}") from None


def _write(entry: Entry) -> object:
    # `asdict` would convert secrets to plain maps.
    return to_wire({each.name: getattr(entry, each.name) for each in fields(entry)})


def _read(item: Properties) -> Properties:
    decoded: Properties = from_wire(item)
    return {**decoded, "dependencies": tuple(decoded["dependencies"])}


@contextmanager
def locked(stack: str, directory: Path = STATE_DIR) -> Iterator[None]:
    """
    Lock a stack against a second run; the kernel releases the lock when the process terminates.

    Raises:
        UserError: Another run uses the stack, or the folder is not writable.
    """
    try:
        files.make_folder(directory)
        descriptor = os.open(directory / f"{stack}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UserError(f"{directory} cannot be written ({error.strerror})", "Run as root") from None
    with os.fdopen(descriptor, "r+") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = opened.read().strip() or "unknown"
            raise UserError(f"another run (process {holder}) uses stack {stack}", "Wait until it finishes") from None
        opened.truncate(0)
        opened.write(str(os.getpid()))
        opened.flush()
        yield
