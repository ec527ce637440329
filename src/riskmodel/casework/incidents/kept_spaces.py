"""The space of a model version in, the same for all processes out: kept by who has the model, read by the joiner."""

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from riskmodel.casebook.database import Database
from riskmodel.casebook.incident_tables import SPACES
from riskmodel.casework.incidents.spaces import Floats, Space

_KEPT = np.dtype("<f4")


class KeptSpaces:
    """The spaces in a casebook, by model version; each is read once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: dict[str, Space] = {}

    def __call__(self, version: str) -> Space | None:
        """Return the space of a version; None as long as nobody kept one."""
        if version not in self._read:
            statement = sa.select(SPACES).where(SPACES.c.model_version == version)
            row = self._database.read(lambda connection: connection.execute(statement).one_or_none())
            if row is None:
                return None
            mean = np.frombuffer(row.mean, dtype=_KEPT)
            matrix = np.frombuffer(row.matrix, dtype=_KEPT).reshape(len(mean), -1)
            self._read[version] = Space(version, mean, matrix)
        return self._read[version]

    def keep(self, version: str, vectors: Floats) -> None:
        """Keep the space of (n, d) vectors of many texts as that of a version, if none is kept."""
        if self(version) is not None:
            return
        space = Space.of(version, vectors)
        row = {
            "model_version": version,
            "mean": space.mean.astype(_KEPT).tobytes(),
            "matrix": space.matrix.astype(_KEPT).tobytes(),
        }
        self._database.write(lambda connection: connection.execute(_INSERT[connection.dialect.name], row))


_INSERT = {
    dialect.__name__.rpartition(".")[2]: dialect.insert(SPACES).on_conflict_do_nothing()
    for dialect in (sqlite, postgresql)
}
