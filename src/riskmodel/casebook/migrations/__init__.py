"""The steps by which the tables of the casebook came to be what they are, run by alembic."""
