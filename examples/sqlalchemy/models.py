"""The Author/Book models of the usual tutorial, in a schema of one's choice."""

from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import declarative_base, relationship


def make_models(schema, nullable=True, **options):
    """Author and Book in schema; options go to Author.books."""
    Base = declarative_base()

    class Author(Base):
        __tablename__ = "authors"
        __table_args__ = {"schema": schema}

        id = Column(Integer, primary_key=True)
        name = Column(String)
        books = relationship("Book", order_by="Book.id", back_populates="author", **options)

    class Book(Base):
        __tablename__ = "books"
        __table_args__ = {"schema": schema}

        id = Column(Integer, primary_key=True)
        title = Column(String)
        author_id = Column(ForeignKey(f"{schema}.authors.id"), nullable=nullable)
        author = relationship("Author", back_populates="books")

    return Base, Author, Book
