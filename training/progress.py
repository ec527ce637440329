"""Steps of long work in, a bar on a terminal or a line now and then in a log out."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_EVERY_SECONDS = 10.0  # where there is no terminal to draw a bar on
CONSOLE = Console(stderr=True)

Report = Callable[[int, int, str], None]


def say(line: str) -> None:
    """Print one line about what happens now."""
    CONSOLE.print(line, highlight=False)


def quiet_libraries() -> None:
    """Keep sentence-transformers, transformers and the quantiser from telling users what only their makers need."""
    from transformers.utils import logging as transformers_logging  # noqa: PLC0415

    for name in ("sentence_transformers", "root"):
        logging.getLogger(name).setLevel(logging.ERROR)
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


def silent(step: int, steps: int, note: str) -> None:
    """Report nothing: for callers that show no progress."""


@contextmanager
def progress(label: str) -> Iterator[Report]:
    """Yield a function to call with (step, steps, note) as the work goes on."""
    if CONSOLE.is_terminal:
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
        columns += [TimeRemainingColumn(), TextColumn("{task.fields[note]}")]
        with Progress(*columns, console=CONSOLE) as bar:
            task = bar.add_task(label, total=None, note="")
            yield lambda step, steps, note: bar.update(task, completed=step, total=steps, note=note)
    else:
        say(f"{label} ...")
        started = last = time.monotonic()

        def line(step: int, steps: int, note: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= LINE_EVERY_SECONDS or (step == steps and now - started >= LINE_EVERY_SECONDS):
                last = now
                say(f"{label}: {step} of {steps}, {now - started:.0f} s {note}".rstrip())

        yield line
