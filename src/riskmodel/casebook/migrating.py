"""A connection in, tables at the newest revision out. The one door to alembic."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from riskmodel.casebook.database import name_of
from riskmodel.errors import CasebookError

MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(connection: sa.Connection, revision: str | None) -> None:
    """Bring the tables to the newest revision, within the transaction that is open.

    Args:
        connection: in a transaction that shuts out everyone else who migrates.
        revision: of the tables now; None where there are none.

    Raises:
        CasebookError: if the tables are of a newer riskmodel than this one.
    """
    config = configuration()
    newest = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in newest:
        raise CasebookError(
            f"{name_of(connection.engine.url)} was written by a newer riskmodel: found revision {revision}, "
            f"expected at most {max(newest)}. Install that version, or name another database."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def configuration() -> Config:
    """Return alembic's configuration, with the migrations that are shipped."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
