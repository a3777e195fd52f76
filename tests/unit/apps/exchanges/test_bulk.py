import psycopg2
import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from apps.exchanges.bulk import values_fetch, values_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _table():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bulk_rows (id int PRIMARY KEY CHECK (id > 0))")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bulk_rows")


@pytest.mark.parametrize("statement", [values_run, values_fetch])
@pytest.mark.usefixtures("_table")
def test_what_the_driver_raises_comes_out_as_djangos_error(statement) -> None:
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        statement("INSERT INTO bulk_rows (id) VALUES %s RETURNING id", [(1,), (-1,)])
    assert isinstance(caught.value, DatabaseError)
    assert isinstance(caught.value.__cause__, psycopg2.Error)
    assert values_fetch("INSERT INTO bulk_rows (id) VALUES %s RETURNING id", [(2,)]) == [(2,)]


def test_a_broken_session_is_noticed_and_replaced() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg2.connect(**connection.get_connection_params()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
    other.close()
    with pytest.raises(OperationalError):
        values_run("SELECT * FROM (VALUES %s) AS v (id)", [(1,)])
    assert connection.errors_occurred
    connection.close_if_unusable_or_obsolete()
    assert values_run("SELECT * FROM (VALUES %s) AS v (id)", [(1,)]) == 1


def test_no_rows_are_no_statement() -> None:
    assert values_run("nonsense %s", []) == 0
    assert values_fetch("nonsense %s", []) == []
