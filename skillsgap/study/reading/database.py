"""A table or view of a database as a table of text; its password comes from the environment, never from params."""

import re
import warnings
from contextlib import contextmanager
from functools import partial

import numpy as np
import pyarrow as pa

from skillsgap.study.reading.celltext import cell_text
from skillsgap.study.reading.texttable import NESTED, UNNEST, Findings, TextTable
from skillsgap.wording import N_

LOCKED = ("42501",)  # SQLSTATE of a right that is lacking
SECRET = re.compile("pass|pwd|secret|token", re.I)
REACH = N_("start it, or correct url; a password comes from PGPASSWORD or ~/.pgpass")


def open_database(url, table, *, find=None):
    """Open a table or view.

    Parameters
    ----------
    url : str
        As SQLAlchemy writes it: ``postgresql+psycopg://host/name``, ``sqlite:///file.db``.
    table : str
        Its name, with a schema before it where needed: ``hr.staff``.
    find : callable, optional
        Path of a SQLite file by its name.

    Returns
    -------
    TextTable
        Rows are numbered from 1 in the order of the primary key, or else of all columns.

    Raises
    ------
    StudyError
        No SQLAlchemy or driver, a password in the url, no connection, no such table, or no right to read it.
    """
    found = Findings(f"table {table}")
    engine = _engine(url, found, find)
    with _told(found, table):
        reflected = _reflect(engine, table)
    names = [column.name for column in reflected.columns]
    return TextTable(found, names, partial(_rows, engine, reflected, table))


def _engine(url, found, find):
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, NoSuchModuleError
        from sqlalchemy.pool import NullPool
    except ModuleNotFoundError:
        found.fault(N_("reading a database needs SQLAlchemy"), N_("install the extra sql"))
        found.stop()
    try:
        address = make_url(url)
        if address.password is not None or any(SECRET.search(key) for key in address.query):
            found.fault(N_("its url holds a password"), N_("take it out; PGPASSWORD or ~/.pgpass may hold it"))
        elif address.get_backend_name() == "sqlite" and address.database and find:
            # opened for reading only: SQLite would make a file that isn't there
            path = find(address.database).resolve().as_uri()
            address = address.set(database=path, query={"mode": "ro", "uri": "true"})
        found.stop()
        return create_engine(address, poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError, ValueError):
        found.fault(N_("its url names no database that can be read"), N_("write it as SQLAlchemy does"))
    except ModuleNotFoundError as error:
        values = {"module": error.name}
        found.fault(N_("reading this database needs {module}"), N_("install the extra sql"), values=values)
    found.stop()


@contextmanager
def _told(found, table):
    """What the database refuses becomes one line of ours: its own words may hold addresses and names."""
    from sqlalchemy.exc import DatabaseError, DBAPIError, NoSuchTableError, SQLAlchemyError

    try:
        yield
    except NoSuchTableError:
        found.fault(N_("there is no table or view {table}"), N_("correct table in params"), values={"table": table})
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in LOCKED:
            found.fault(N_("there is no right to read it"), N_("ask for the right to SELECT"))
        elif state is None or state.startswith("28") or not isinstance(error, DatabaseError):
            found.fault(N_("the database can't be reached"), REACH)
        else:
            values = {"reason": type(error.orig).__name__}
            found.fault(N_("the database refuses ({reason})"), N_("ask who keeps it"), values=values)
    except SQLAlchemyError as error:
        values = {"reason": type(error).__name__}
        found.fault(N_("the database refuses ({reason})"), N_("ask who keeps it"), values=values)
    found.stop()


def _reflect(engine, table):
    from sqlalchemy import MetaData, Table

    schema, _, name = table.rpartition(".")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of column types it doesn't know; their values are looked at one by one
        return Table(name, MetaData(), schema=schema or None, autoload_with=engine, resolve_fks=False)


def _rows(engine, reflected, table, places, size, found):
    from sqlalchemy import select
    from sqlalchemy.types import ARRAY, JSON, NullType

    columns = list(reflected.columns)
    order = list(reflected.primary_key.columns)
    order = order or [column for column in columns if not isinstance(column.type, ARRAY | JSON | NullType)]
    chosen, row = [columns[place] for place in places], 1
    query = select(*chosen or columns[:1]).order_by(*order)
    with _told(found, table), engine.connect() as connection:
        for part in connection.execute(query, execution_options={"yield_per": size}).partitions():
            texts = [[cell_text(value) for value in values] for values in zip(*part, strict=True)]
            for column, values in zip(chosen, texts, strict=False):
                if None in values:
                    found.fault(NESTED, UNNEST, row + values.index(None), column.name, values.count(None))
            found.stop()
            yield np.arange(row, row + len(part)), [pa.array(values, pa.string()) for values in texts[: len(chosen)]]
            row += len(part)
