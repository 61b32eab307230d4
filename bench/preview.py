"""
One preview without an engine, in its own process: `python -m bench.preview PROGRAM CONFIG`.

Both sides of the comparison use it, so both include its cost. It prints the number of resources.
"""

import json
import sys
from pathlib import Path

from recorder.monitor import Monitor
from recorder.program import run_program
from recorder.registrations import STACK_TYPE, Outcome, Registration
from recorder.values import Properties


class PreviewMonitor(Monitor):
    """Answers as an engine does in a preview of new resources: only the inputs are known."""

    def apply(self, registration: Registration) -> Outcome:
        """Return the inputs as outputs."""
        return Outcome(outputs=registration.inputs)

    def invoke(self, token: str, arguments: Properties, provider: str) -> Properties:
        """Render each chart as empty: Helm's own time is not the program's."""
        del token, arguments, provider
        return {"result": []}


def preview(program: Path, config: dict[str, str]) -> int:
    """Run `program`, and return the number of its resources."""
    monitor = PreviewMonitor(project="mcsps", stack="bench", preview=True)
    run_program(program, monitor, config)
    return sum(registration.type != STACK_TYPE for registration in monitor.registrations.values())


if __name__ == "__main__":
    sys.stdout.write(f"{preview(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))}\n")
