"""How constraints are named, and the one that columns of few values share."""

from sqlalchemy import CheckConstraint, MetaData
from sqlmodel import SQLModel

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def one_of(column: str, *values: str, name: str | None = None) -> CheckConstraint:
    """A column that holds one of these values."""
    # Not IN: SQLite builds the list of an IN anew for every row that it checks, a quarter of an insert's time.
    return CheckConstraint(" OR ".join(f"{column} = '{value}'" for value in values), name=name or column)
