"""Which store an URL names, and what an error of it amounts to."""

import sqlite3

import pytest
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from statekeeper.core.errors import OperatorError, Unavailable
from statekeeper.store.database import Database, as_unavailable, is_contention


async def test_libpqs_word_for_tls_is_the_drivers():
    database = Database.open("postgresql://user@host/name?sslmode=require")
    assert dict(database.writer.url.query) == {"ssl": "require"}
    assert database.dialect == "postgresql"
    database.claim_file()
    await database.close()


async def test_a_file_is_served_by_one_process_only(tmp_path):
    first, second = (Database.open(f"sqlite:///{tmp_path / 'store.db'}") for _ in range(2))
    first.claim_file()
    with pytest.raises(OperatorError, match="served by another process"):
        second.claim_file()
    await second.close()
    await first.close()
    third = Database.open(f"sqlite:///{tmp_path / 'store.db'}")
    third.claim_file()
    await third.close()


async def test_a_file_in_a_folder_that_is_not_there_is_a_clear_fault(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    with pytest.raises(OperatorError, match="a file in a writable folder"):
        database.claim_file()
    await database.close()


async def test_a_commit_to_a_file_is_on_disk_and_seldom_waits_for_the_log_to_be_taken_in(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path / 'store.db'}")
    async with database.writer.connect() as connection:
        asked = {
            name: await connection.exec_driver_sql(f"PRAGMA {name}") for name in ("synchronous", "wal_autocheckpoint")
        }
        assert {name: found.scalar_one() for name, found in asked.items()} == {
            "synchronous": 2,
            "wal_autocheckpoint": 4000,
        }
    await database.close()


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("s", {}, sqlite3.OperationalError("database is locked")),
        DatabaseError("s", {}, sqlite3.DatabaseError("database disk image is malformed")),
        PoolTimeout(),
        ConnectionRefusedError(),
        TimeoutError(),
    ],
)
def test_a_store_that_is_away_is_unavailable(error):
    assert isinstance(as_unavailable(error), Unavailable)


@pytest.mark.parametrize(
    ("sqlstate", "contended"),
    [("08006", False), ("25006", False), ("53100", False), ("57P01", False), ("58030", False), ("55P03", True)],
)
def test_postgresqls_words_for_no_room_and_for_going_away_are_known(sqlstate, contended):
    said = Exception("no room")
    said.sqlstate = sqlstate
    error = DBAPIError("s", {}, said)
    assert isinstance(as_unavailable(error), Unavailable)
    assert is_contention(error) == contended


@pytest.mark.parametrize("error", [IntegrityError("s", {}, sqlite3.IntegrityError("unique")), ValueError("x")])
def test_data_at_fault_is_no_fault_of_the_stores(error):
    assert as_unavailable(error) is None
