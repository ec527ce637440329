"""A service that runs on a tiny model for as long as a test needs it, keys for it, and requests sent at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from fastapi.testclient import TestClient

from riskmodel.casebook import Case, Filters, Role, open_casebook
from riskmodel.service.app import create_app
from riskmodel.service.settings import Settings
from tests.riskmodel.service.watched import WatchedEncoder, watched
from tests.service import wait_until_ready

PARCEL = {"text": "The parcel is late and the seller does not answer."}
SECONDS = 20

Result = TypeVar("Result")


@contextmanager
def serving(settings: Settings) -> Iterator[TestClient]:
    """Run a service until the block ends."""
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        yield client


def new_key(settings: Settings, role: Role, name: str = "tool", expires_at: datetime | None = None) -> tuple[str, str]:
    """Make a key as the command line does, in the service's database; return its id and its secret."""
    with closing(open_casebook(settings.database_url)) as casebook:
        made = casebook.keys.create(name, role, datetime.now(UTC), expires_at)
    return made.key.id, made.secret


def kept(settings: Settings) -> list[Case]:
    """Return all that is kept."""
    with closing(open_casebook(settings.database_url)) as casebook:
        return list(casebook.page(Filters(), limit=1_000).cases)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def watch(client: TestClient, *, gate_open: bool = True) -> WatchedEncoder:
    """Have the running service rate with an encoder that is watched."""
    models = client.app.state.running.models  # type: ignore[attr-defined]
    loaded, encoder = watched(models._loaded[0], gate_open=gate_open)
    models._loaded = (loaded,)
    return encoder


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Make calls at the same time, each on a thread of its own; return what they return, in order."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def slug(problem: Mapping[str, Any]) -> str:
    return str(problem["type"]).rpartition(":")[2]
