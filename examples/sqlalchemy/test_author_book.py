#!/usr/bin/python3
"""SQLAlchemy as a client of cascade.

Each step below runs on the same rows in three schemas:

    shop_orm     cascades done by the ORM, no relationship declared: what is right
    shop_both    cascades done by the ORM, and the same relationship declared
    shop_server  the ORM's delete cascades off (passive_deletes), the server's on

After each step the rows of all three have to be the same.  Every warning is an
error, so is "DELETE statement on table expected to delete 2 row(s); 1 were
matched".  All of it runs twice: with books.author_id nullable, and NOT NULL.

The server is the one that libpq's environment variables name; the schemas are
dropped and made there.
"""

import sys
import warnings

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from models import make_models

warnings.simplefilter("error")

engine = create_engine("postgresql+psycopg2://", future=True)
count = failures = 0


def check(name, found, expected):
    """Print one line of the result, and the difference where there is one."""
    global count, failures
    count += 1
    ok = found == expected
    failures += not ok
    print(f"{'ok' if ok else 'not ok'} {count} - {name}")
    if not ok and isinstance(found, set):
        print(f"#   missing {expected - found or ''}\n#   too many {found - expected or ''}")
    elif not ok:
        print(f"#   expected {expected}\n#   found {found}")
    sys.stdout.flush()


class Shop:
    """One schema with its models."""

    def __init__(self, schema, declared, nullable, **options):
        self.schema = schema
        self.base, self.Author, self.Book = make_models(schema, nullable, **options)
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        self.base.metadata.create_all(engine)
        if declared:
            self.sql(f"SELECT cascade.add_relationship('{schema}.authors', '{schema}.books',"
                     " 'all, delete-orphan')")
        with Session(engine, future=True) as session:
            session.add_all(
                self.Author(id=a, name=f"author {a}",
                            books=[self.Book(id=10 * a + b, title=f"book {a}.{b}") for b in range(1, 4)])
                for a in range(1, 7))
            session.commit()

    def sql(self, statement):
        """Run one statement on a connection that no session uses."""
        with engine.begin() as connection:
            return connection.execute(text(statement))

    def rows(self):
        """All rows of both tables."""
        return {
            (table, *row)
            for table in ("authors", "books")
            for row in self.sql(f"SELECT * FROM {self.schema}.{table}").all()}

    def ids(self, table):
        """The ids of one table, in order."""
        return sorted(row[1] for row in self.rows() if row[0] == table)

    def run(self, step):
        """Run step in a session; the rows afterwards, and the error if there was one."""
        error = set()
        try:
            with Session(engine, future=True) as session:
                step(session, self)
                session.commit()
        except Exception as e:
            error = {f"{type(e).__name__}: {e}"}
        return self.rows() | error


# The steps.  Each takes an author of its own, and leaves something behind that
# a cascade gone wrong would change.

def delete_author(session, shop):
    session.delete(session.get(shop.Author, 1))


def delete_author_with_books_loaded(session, shop):
    author = session.get(shop.Author, 2)
    assert len(author.books) == 3
    session.delete(author)


def remove_book(session, shop):
    author = session.get(shop.Author, 3)
    author.books.remove(author.books[1])


def replace_books(session, shop):
    author = session.get(shop.Author, 3)
    author.books = [author.books[0], shop.Book(id=39, title="new")]


def move_book(session, shop):
    old, new = session.get(shop.Author, 3), session.get(shop.Author, 4)
    new.books.append(old.books[0])


def move_book_and_delete_author(session, shop):
    old, new = session.get(shop.Author, 4), session.get(shop.Author, 5)
    new.books.append(old.books[0])
    session.delete(old)


def delete_book_and_its_author(session, shop):
    author = session.get(shop.Author, 5)
    session.delete(author.books[0])
    session.flush()
    session.expire(author)
    session.delete(author)


def remove_all_then_add_in_two_flushes(session, shop):
    author = session.get(shop.Author, 6)
    author.books.clear()
    session.flush()
    author.books.append(shop.Book(id=69, title="another"))


def change_nothing(session, shop):
    author = session.get(shop.Author, 6)
    author.name = "renamed"
    author.books[0].title = "renamed, too"


STEPS = (delete_author, delete_author_with_books_loaded, remove_book, replace_books, move_book,
         move_book_and_delete_author, delete_book_and_its_author,
         remove_all_then_add_in_two_flushes, change_nothing)


def run_all(nullable):
    key = "nullable" if nullable else "not null"
    orm = Shop("shop_orm", False, nullable, cascade="all, delete-orphan")
    both = Shop("shop_both", True, nullable, cascade="all, delete-orphan")
    server = Shop("shop_server", True, nullable, passive_deletes=True)

    for step in STEPS:
        name = step.__name__.replace("_", " ")
        before = orm.rows()
        expected = orm.run(step)
        check(f"{key}: {name}: the ORM alone", expected != before and all(isinstance(r, tuple) for r in expected), True)
        check(f"{key}: {name}: ORM and server", both.run(step), expected)
        check(f"{key}: {name}: server alone", server.run(step), expected)


def move_in_two_flushes():
    """Without an author for a moment: more than the ORM alone could do."""
    shop = Shop("shop_server", True, True, passive_deletes=True)
    with Session(engine, future=True) as session:
        old, new = session.get(shop.Author, 1), session.get(shop.Author, 2)
        book = old.books[0]
        old.books.remove(book)
        session.flush()
        new.books.append(book)
        session.commit()
        check("moved in two flushes: the book lives", [b.id for b in new.books], [11, 21, 22, 23])


def raw_delete():
    """A DELETE that knows of no ORM, while a session holds the objects."""
    shop = Shop("shop_raw", True, True, cascade="all, delete-orphan")
    with Session(engine, future=True) as session:
        author = session.get(shop.Author, 1)
        title = author.books[0].title
        session.commit()

        result = shop.sql("DELETE FROM shop_raw.authors WHERE id <= 2")
        check("raw DELETE: its row count is of authors alone", result.rowcount, 2)
        check("raw DELETE: the authors are gone", shop.ids("authors"), [3, 4, 5, 6])
        check("raw DELETE: their books went along, no others", [b for b in shop.ids("books") if b < 41], [31, 32, 33])
        check("raw DELETE: the session sees it", (title, session.get(shop.Book, 11)), ("book 1.1", None))

    shop.sql("UPDATE shop_raw.books SET author_id = NULL WHERE id = 31")
    check("raw UPDATE: a book without author goes at commit", [b for b in shop.ids("books") if b < 41], [32, 33])
    shop.sql("UPDATE shop_raw.authors SET id = 40 WHERE id = 4")
    with Session(engine, future=True) as session:
        check("raw UPDATE: books follow a changed key", [b.id for b in session.get(shop.Author, 40).books], [41, 42, 43])


with engine.begin() as connection:
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS cascade"))
raw_delete()
move_in_two_flushes()
run_all(nullable=True)
run_all(nullable=False)
print(f"1..{count}")
sys.exit(failures > 0)
