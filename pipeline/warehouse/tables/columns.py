"""How a column is declared: every one has a comment, money is NUMERIC, an instant is UTC, a key is text.

Only shapes of columns here; which tables have them is said in the file of their schema.
"""

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, DateTime, Integer, MetaData, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()


def table(schema: str, name: str, comment: str, *parts: Any) -> Table:
    """A table of the warehouse; the asset of the same name owns it."""
    return Table(name, metadata, *parts, schema=schema, comment=comment)


def administration() -> Column:
    """The first part of every key: no two administrations share a row."""
    return Column("administration", Text, primary_key=True, comment="name of the administration, as in pipeline.yaml")


def key(name: str, comment: str) -> Column:
    """A further part of the primary key."""
    return Column(name, Text, primary_key=True, comment=comment)


def text(name: str, comment: str, *, required: bool = False) -> Column:
    """Text; empty means the source has none."""
    return Column(name, Text, nullable=not required, comment=comment)


def texts(name: str, comment: str) -> Column:
    """Several texts in an order that means something."""
    return Column(name, ARRAY(Text), nullable=False, comment=comment)


def number(name: str, comment: str, *, required: bool = False) -> Column:
    """A quantity or price, as exact as its source has it."""
    return Column(name, Numeric, nullable=not required, comment=comment)


def money(name: str, comment: str, *, required: bool = True) -> Column:
    """An amount to the cent, in the currency its row names."""
    return Column(name, Numeric(18, 2), nullable=not required, comment=comment)


def whole(name: str, comment: str, *, required: bool = False) -> Column:
    """A whole number."""
    return Column(name, Integer, nullable=not required, comment=comment)


def big(name: str, comment: str, *, required: bool = True) -> Column:
    """A whole number of 64 bits: a row version, an id in Pipedrive."""
    return Column(name, BigInteger, nullable=not required, comment=comment)


def flag(name: str, comment: str, *, required: bool = True) -> Column:
    """Yes or no."""
    return Column(name, Boolean, nullable=not required, comment=comment)


def day(name: str, comment: str, *, required: bool = False) -> Column:
    """A calendar date."""
    return Column(name, Date, nullable=not required, comment=comment)


def instant(name: str, comment: str, *, required: bool = False) -> Column:
    """A moment in UTC."""
    return Column(name, DateTime(timezone=True), nullable=not required, comment=comment)


def wall_time(name: str, comment: str) -> Column:
    """A moment as the source's wall clock showed it; its administration's time zone makes it an instant."""
    return Column(name, DateTime(timezone=False), comment=comment)


def document(name: str, comment: str, *, required: bool = True) -> Column:
    """A JSON document."""
    return Column(name, JSONB, nullable=not required, comment=comment)
