"""The output of a run, as lines for a user or as JSON; no line contains a secret."""

from __future__ import annotations

import json
import time
from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from lab.standin.plan import Change, Step
from recorder.values import Secret, leaves, reveal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from recorder.values import Properties

_SIGNS: Final = {
    Step.CREATE: ("+", "green"),
    Step.UPDATE: ("~", "yellow"),
    Step.REPLACE: ("+-", "magenta"),
    Step.DELETE: ("-", "red"),
    Step.SAME: ("=", "dim"),
}
_SHORTEST_SECRET: Final = 6
_LONG_WORD: Final = 32
_QUIET_SECONDS: Final = 20
_REPEAT_SECONDS: Final = 60
_SHOWN_CHARACTERS: Final = 240


class Display:
    """Collects the steps of a run and prints them; safe to use from several threads."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._console = console
        self._as_json = as_json
        self._secrets: set[str] = set()
        self._lock = Lock()
        self._tasks: dict[str, TaskID] = {}
        self._heard: dict[str, tuple[float, str]] = {}
        self._started = time.monotonic()
        self.progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
        )
        """The live display of what the run waits for."""
        self.changes: list[Change] = []
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        if not self._as_json:
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def hide(self, values: object) -> None:
        """
        Add the secrets in `values` to those that later output must not contain.

        Long words in them count as secrets as well, such as a token in a kubeconfig or a line of a key.
        """
        texts = {
            text
            for leaf in leaves(values)
            if isinstance(leaf, Secret)
            for text in leaves(reveal(leaf))
            if isinstance(text, str) and len(text) >= _SHORTEST_SECRET
        }
        words = {word for text in texts for word in text.split() if len(word) >= _LONG_WORD}
        with self._lock:
            self._secrets |= texts | words

    def clean(self, text: str) -> str:
        """Replace every known secret by `[secret]`."""
        for secret in sorted(self._secrets.copy(), key=len, reverse=True):
            text = text.replace(secret, "[secret]")
        return text

    def change(self, change: Change) -> None:
        """Show one resource's step."""
        with self._lock:
            self.changes.append(change)
        if change.step is Step.SAME:
            return
        sign, style = _SIGNS[change.step]
        note = f"  ({change.note})" if change.note else ""
        lines = [Text(self.clean(f"{sign:>2} {change.step.value:<8} {change.type}  {change.name}{note}"), style=style)]
        lines += [Text(self.clean(f"      {field}"), style="dim") for field in change.fields]
        self._print(Text("\n").join(lines))

    def waiting(self, urn: str) -> Callable[[str], None]:
        """Return a function that shows what a resource waits for, until `settled`."""
        label = Change(urn=urn, step=Step.SAME).name

        def report(missing: str) -> None:
            text = self.clean(f"{label}: {missing}")[:_SHOWN_CHARACTERS]
            with self._lock:
                if urn not in self._tasks:
                    self._tasks[urn] = self.progress.add_task("", total=None)
                self.progress.update(self._tasks[urn], description=text)
                is_due = not self._console.is_terminal and self._is_news(urn, text)
            if is_due:
                self._write(f"   waiting  {text}", "dim")

        return report

    def _is_news(self, urn: str, text: str) -> bool:
        """Return whether to print a line if the output is no terminal, where lines stay."""
        now = time.monotonic()
        heard, last = self._heard.setdefault(urn, (now, ""))
        is_news = now - heard > (_REPEAT_SECONDS if text == last else _QUIET_SECONDS)
        if is_news:
            self._heard[urn] = (now, text)
        return is_news

    def settled(self, urn: str) -> None:
        """Remove a resource from those that wait."""
        with self._lock:
            task = self._tasks.pop(urn, None)
        if task is not None:
            self.progress.remove_task(task)

    def note(self, text: str) -> None:
        """Show a warning."""
        with self._lock:
            self.notes.append(self.clean(text))
        self._write(f" ! {text}", "yellow")

    def finish(self, exports: Properties, failures: list[str]) -> None:
        """Print the counts, the stack's outputs and, last, the failures."""
        counts = Counter(change.step for change in self.changes)
        seconds = time.monotonic() - self._started
        if self._as_json:
            self._console.print_json(
                self.clean(
                    json.dumps(
                        {
                            "changes": [each.as_data() for each in self.changes if each.step is not Step.SAME],
                            "counts": {step.value: counts[step] for step in Step},
                            "exports": {name: _shown(value) for name, value in exports.items()},
                            "failures": failures,
                            "notes": self.notes,
                            "seconds": round(seconds, 1),
                        }
                    )
                )
            )
            return
        for path, value in _paths(exports) if exports else ():
            self._write(f"   {path}: {value}")
        summary = ", ".join(f"{counts[step]} {step.value}" for step in Step if counts[step])
        self._write(f"{summary or 'nothing to do'}  ({seconds:.0f} s)", "bold")
        for failure in failures:
            self._write(f"failed: {failure}", "red")

    def _write(self, text: str, style: str = "") -> None:
        self._print(Text(self.clean(text), style=style))

    def _print(self, text: Text) -> None:
        if not self._as_json:
            self._console.print(text, soft_wrap=True)


def _paths(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield the leaves of the exports, each with its path."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _paths(item, f"{path}.{name}" if path else name)
    else:
        yield path, _shown(value)


def _shown(value: object) -> object:
    """Return a value with its secrets hidden at every depth."""
    match value:
        case dict():
            return {name: _shown(item) for name, item in value.items()}
        case list():
            return [_shown(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return repr(value)
