"""Lets one command at a time change the lab."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from errors import UserError

_NAME = "\0mcsps-lab"


@contextmanager
def held() -> Iterator[int]:
    """
    Hold the lab, and yield the descriptor for children that must hold it too.

    UserError if another command does. The kernel lets go of it for a dead one.
    """
    # An abstract socket's name leaves no file behind that `down` would have to remove.
    with socket.socket(socket.AF_UNIX) as holder:
        try:
            holder.bind(_NAME)
        except OSError as error:
            raise UserError("Another command is at work on the lab", "Wait for it to end, then try again") from error
        yield holder.fileno()
