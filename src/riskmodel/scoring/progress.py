"""How much is done in, a bar on a terminal or a line now and then in a log out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_EVERY_SECONDS = 10.0  # where there is no terminal to draw a bar on


@contextmanager
def progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to call with (done, total) as the work goes on."""
    if console.is_terminal:
        columns = (TextColumn("Scoring"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        last = time.monotonic()

        def line(done: int, total: int) -> None:
            nonlocal last
            if (now := time.monotonic()) - last >= LINE_EVERY_SECONDS:
                last = now
                console.print(f"Scoring: {done / max(total, 1):.0%} of the file", highlight=False)

        yield line
