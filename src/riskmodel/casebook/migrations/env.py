"""A connection or an address in, tables at the revision that was asked for out; alembic runs this file.

``riskmodel`` hands over its connection. By hand, from the repository::

    alembic -c src/riskmodel/casebook/migrations/alembic.ini -x url=sqlite:///riskmodel.db current
"""

import sqlalchemy as sa
from alembic import context

from riskmodel.casebook.database import create_database_engine
from riskmodel.casebook.tables import METADATA


def _migrate(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        transactional_ddl=True,  # also on SQLite, where each transaction begins explicitly
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def _run() -> None:
    handed_over = context.config.attributes.get("connection")
    if handed_over is not None:
        _migrate(handed_over)
        return
    url = context.get_x_argument(as_dictionary=True).get("url")
    if url is None:
        raise SystemExit("Which casebook? Add -x url=sqlite:///riskmodel.db or -x url=postgresql://...")
    engine = create_database_engine(str(url))
    try:
        with engine.begin() as connection:
            _migrate(connection)
    finally:
        engine.dispose()


_run()
