"""What is remembered: the only package that knows SQL.

The write side is `journal` (arrivals) and `outbox` (callbacks), inside transactions that `writer` opens; the read side
is `queries`, a room for each topic, on connections of its own. Both speak SQLAlchemy Core over the SQLModel tables: the
rows of a batch go out in bulk, without an ORM's unit of work.
"""
