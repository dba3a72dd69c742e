"""What can be wrong with the database, as seen from outside it."""

from __future__ import annotations


class DatabaseError(Exception):
    """Root of this package's errors; the message names the remedy."""


class DatabaseUrlError(DatabaseError):
    """``DATABASE_URL`` cannot be used."""


class DatabaseAwayError(DatabaseError):
    """The server of ``DATABASE_URL`` does not answer, or there is no database here yet."""


class PostgresMissingError(DatabaseError):
    """No PostgreSQL of a usable version was found on this machine."""


class PostgresVersionError(DatabaseError):
    """The data directory was made by a major version that is not at hand, or the server is too old."""


class PostgresStartError(DatabaseError):
    """The embedded server did not start; the message holds the end of its log."""


class MigrationError(DatabaseError):
    """The schema could not be brought up to date."""
