"""A text in, a rating out: a FastAPI route as tutorials write it; a plain ``def``, so each request has a thread."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.peers.objects import AT_ONCE, load

objects = load()


@asynccontextmanager
async def limited(app: FastAPI) -> AsyncIterator[None]:
    """Let so many requests run at once as the environment says; 40 where nobody says otherwise."""
    if AT_ONCE in os.environ:
        current_default_thread_limiter().total_tokens = int(os.environ[AT_ONCE])
    yield


app = FastAPI(lifespan=limited)


class Sent(BaseModel):
    """An escalation."""

    text: str


@app.post("/predict")
def predict(sent: Sent) -> dict[str, object]:
    """Rate one text."""
    return objects.predict([sent.text])[0]


@app.get("/health")
def health() -> dict[str, str]:
    """Say that it is up."""
    return {"status": "ok"}
