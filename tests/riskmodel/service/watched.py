"""A loaded model whose encoder tells what it reads, waits at a gate, and can be made to kill its thread."""

import dataclasses
import threading
from collections.abc import Sequence

from riskmodel.service.loading import LoadedModel
from riskmodel.stages.encoding import Encoder, Encoding


class ThreadDeath(BaseException):
    """What no code that handles errors would catch."""


class WatchedEncoder:
    """The real encoder; a text that begins with a word of ``FAULTS`` does not end well."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.read, self.threads = encoder, list[str](), set[int]()
        self.crowded = list[bool]()
        self.reached, self.gate = threading.Semaphore(0), threading.Event()
        self.freed = threading.Event()

    def encode(self, texts: Sequence[str], *, crowded: bool = False) -> list[Encoding]:
        self.reached.release()
        assert self.gate.wait(10)
        self.read += texts
        self.crowded.append(crowded)
        self.threads.add(threading.get_ident())
        if texts[0].startswith("Stuck"):
            assert self.freed.wait(10)
        if texts[0].startswith("Poison"):
            raise RuntimeError(texts[0])
        if texts[0].startswith("Death"):
            raise ThreadDeath(texts[0])
        return self.encoder.encode(texts, crowded=crowded)


def watched(loaded: LoadedModel, *, gate_open: bool = True) -> tuple[LoadedModel, WatchedEncoder]:
    encoder = WatchedEncoder(loaded.model.encoder)
    if gate_open:
        encoder.gate.set()
    model = dataclasses.replace(loaded.model, encoder=encoder)  # type: ignore[arg-type]
    return LoadedModel(model, loaded.description), encoder
