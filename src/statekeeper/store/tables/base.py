"""The base of all tables, with names in their constraints that migrations can rely on."""

from typing import Any, ClassVar, cast

import sqlalchemy
from sqlalchemy import MetaData, String
from sqlmodel import Field, SQLModel


class Table(SQLModel):
    """The base of all tables; their names in constraints are fixed, so that migrations can name them."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table(model: type[Table]) -> sqlalchemy.Table:
    """The Core table under a SQLModel class: statements are built on it."""
    return cast("sqlalchemy.Table", model.__table__)  # type: ignore[attr-defined]  # SQLModel adds it


def short(*, nullable: bool = True) -> Any:  # noqa: ANN401 -- SQLModel's Field is untyped
    """A column for a text of at most 255 characters."""
    return Field(default=None, sa_type=String(255), nullable=nullable)
