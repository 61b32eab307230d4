"""
Which earlier condition matches every request of a later one.

The cost is linear: conditions are looked up and not compared, and all regular expressions of a header run at once.
"""

from collections.abc import Iterator, Sequence

import re2

MATCHES_ALL = ".*"
Condition = tuple[str, str, str]
"""The name of a header, `exact`, `prefix` or `regex`, and the text of it."""


class Patterns:
    """The regular expressions of all conditions, to find those that match a text."""

    def __init__(self, conditions: Sequence[Condition | None]) -> None:
        """Compile the regular expressions, which are known to be valid."""
        self._indexes: dict[str, list[int]] = {}
        self._sets: dict[str, re2.Set] = {}
        options = re2.Options()
        options.log_errors = False
        for index, condition in enumerate(conditions):
            if condition is not None and condition[1] == "regex":
                name, _, regex = condition
                if name not in self._sets:
                    self._sets[name] = re2.Set.FullMatchSet(options)
                self._sets[name].Add(regex)
                self._indexes.setdefault(name, []).append(index)
        for each in self._sets.values():
            each.Compile()

    def matching(self, name: str, text: str) -> Sequence[int]:
        """The indexes of the conditions whose regular expression matches a header's whole text."""
        if name not in self._sets:
            return ()
        # None: there is no match, or the expressions together are too large for an answer.
        return [self._indexes[name][position] for position in self._sets[name].Match(text) or ()]


class Coverage:
    """The conditions so far, in one region."""

    def __init__(self, patterns: Patterns) -> None:
        """Start without a condition."""
        self._patterns = patterns
        self._first: dict[Condition | None, int] = {}
        self._indexes: set[int] = set()

    def add(self, index: int, condition: Condition | None) -> None:
        """Add a condition; `None` matches every request."""
        self._first.setdefault(condition, index)
        self._indexes.add(index)

    def find(self, condition: Condition | None) -> int | None:
        """
        Find the first condition so far that certainly matches each request of another one.

        A regular expression covers a prefix or another expression only if it matches everything, or if both are equal.
        """
        found = [self._first[each] for each in self._wider(condition) if each in self._first]
        if condition is not None and condition[1] == "exact":
            found += self._indexes.intersection(self._patterns.matching(condition[0], condition[2]))
        return min(found, default=None)

    @staticmethod
    def _wider(condition: Condition | None) -> Iterator[Condition | None]:
        yield None
        if condition is not None:
            name, kind, text = condition
            yield condition
            yield name, "regex", MATCHES_ALL
            if kind != "regex":
                yield from ((name, "prefix", text[:length]) for length in range(1, len(text) + 1))
