"""The few different values of a column that many rows share, by a leap from one to the next along an index.

SELECT DISTINCT reads the whole index for them; this reads as many entries as there are values. A column must lead an
index, or follow those that `where` fixes.
"""

from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Select, func, select

MOST: Final = 200


def leap(column: Column[Any], *where: ColumnElement[bool], most: int = MOST) -> Select[Any]:
    """A SELECT of the column's different values, as `value`, in their order: no NULL, and so many at most."""
    values = select(func.min(column).label("value")).where(*where).cte("leap", recursive=True)
    following = select(func.min(column)).where(column > values.c.value, *where).scalar_subquery()
    values = values.union_all(select(following).where(values.c.value.is_not(None)))
    return select(values.c.value).where(values.c.value.is_not(None)).limit(most)


def distinct(connection: Connection, column: Column[Any], *where: ColumnElement[bool], most: int = MOST) -> list[Any]:
    """The values themselves."""
    return list(connection.execute(leap(column, *where, most=most)).scalars())
