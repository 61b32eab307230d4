"""The lock that allows one command at a time to change the lab."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from errors import UserError

_NAME = "\0mcsps-lab"


@contextmanager
def held() -> Iterator[int]:
    """
    Hold the lab, and yield the descriptor for child processes that must hold it as well.

    The kernel releases the lock when its process terminates.

    Raises:
        UserError: Another command holds the lab.
    """
    # An abstract socket has no file that `down` would have to remove.
    with socket.socket(socket.AF_UNIX) as holder:
        try:
            holder.bind(_NAME)
        except OSError as error:
            raise UserError("Another command uses the lab", "Wait until it finishes, then retry") from error
        yield holder.fileno()
