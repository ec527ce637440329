"""A connection in; it is cut if its work takes too long, however slowly the other side drips its bytes."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def within(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cut a connection after so many seconds; whoever reads from it then finds it closed.

    Raises:
        TimeoutError: if it was cut, whatever the block raised.
    """
    cut = threading.Event()

    def end() -> None:
        cut.set()
        with contextlib.suppress(OSError):
            found = connection()
            if found is not None:
                found.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except BaseException as error:
        if cut.is_set() and isinstance(error, Exception):
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if cut.is_set():
        raise TimeoutError
