"""
One preview without an engine, in a process of its own: `python -m bench.preview PROGRAM CONFIG`.

Both sides of the comparison run through it, so what it costs is on both. Prints the number of resources.
"""

import json
import sys
from pathlib import Path

from recorder.monitor import Monitor
from recorder.program import run_program
from recorder.registrations import STACK_TYPE, Outcome, Registration


class PreviewMonitor(Monitor):
    """Answers as an engine's preview of things that are new: the inputs are known, and nothing else is."""

    def apply(self, registration: Registration) -> Outcome:
        """Answer with the inputs."""
        return Outcome(outputs=registration.inputs)


def preview(program: Path, config: dict[str, str]) -> int:
    """Run `program` and count its resources."""
    monitor = PreviewMonitor(project="mcsps", stack="bench", preview=True)
    run_program(program, monitor, config)
    return sum(registration.type != STACK_TYPE for registration in monitor.registrations.values())


if __name__ == "__main__":
    sys.stdout.write(f"{preview(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))}\n")
