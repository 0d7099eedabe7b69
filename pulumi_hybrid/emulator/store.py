"""Where the resources are: JSON documents in SQLite, in memory or in a file."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .api import Json

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    api TEXT NOT NULL,
    region TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    hidden INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, api, region, kind, id)
);
CREATE INDEX IF NOT EXISTS pages ON documents (account, api, region, kind, hidden, sequence);
CREATE TABLE IF NOT EXISTS changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (sequence) ON DELETE CASCADE,
    name TEXT NOT NULL,
    moment REAL NOT NULL,
    change TEXT
);
CREATE INDEX IF NOT EXISTS due ON changes (moment);
CREATE INDEX IF NOT EXISTS pending ON changes (document);
CREATE TABLE IF NOT EXISTS keys (secret_id TEXT PRIMARY KEY, secret_key TEXT NOT NULL);
"""

SEEN = (
    "FROM documents WHERE account = ?1 AND api = ?2 AND region = ?3 AND kind = ?4 AND hidden = 0"
    " AND (?5 IS NULL OR id IN (SELECT value FROM json_each(?5)))"
)


class Store:
    """One table of documents, keyed by account, API, region, kind and id, in order of creation.

    Args:
        path: the SQLite file, which only its owner may read where this makes it; `None` keeps
            everything in memory.

    Raises:
        sqlite3.Error: the file cannot be one.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        if path is not None:
            # It holds codes and keys in the clear. Whatever is wrong with the path, SQLite tells.
            with suppress(OSError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        # One connection for all threads: the lock below makes every request's work one
        # transaction, which is also what keeps two requests from seeing each other half done.
        self._connection = sqlite3.connect(
            str(path) if path is not None else ":memory:",
            check_same_thread=False,
            isolation_level=None,
        )
        self._lock = threading.RLock()
        try:
            # A killed process loses nothing by this, only a machine that loses its power.
            self._connection.execute("PRAGMA synchronous = OFF")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.executescript(SCHEMA)
        except sqlite3.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything within happens, or, where it raises, nothing; one thread at a time."""
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def documents(self, account: str, api: str, region: str, kind: str) -> Documents:
        """The documents of one kind, account, API and region."""
        return Documents(self, (account, api, region, kind))

    def find(self, api: str, kind: str, document_id: str) -> tuple[Documents, Json] | None:
        """A document of whatever account and region, and where it is."""
        rows = self.execute(
            "SELECT account, region, body FROM documents WHERE api = ? AND kind = ? AND id = ?",
            (api, kind, document_id),
        )
        if not rows:
            return None
        account, region, body = rows[0]
        return self.documents(account, api, region, kind), json.loads(body)

    def catch_up(
        self, now: datetime, happen: Callable[[str, datetime, Documents, Json], None]
    ) -> None:
        """Make the changes that have come due, in the order of their moments; see `later`.

        Args:
            now: until when.
            happen: does what has only a name, at its moment, to a document.
        """
        # One at a time: what happens may bring further changes that are due too.
        while due := self.execute(
            "SELECT changes.sequence, document, moment, change, account, api, region, kind, body"
            " FROM changes JOIN documents ON documents.sequence = document"
            " WHERE moment <= ? ORDER BY moment, changes.sequence LIMIT 1",
            (now.timestamp(),),
        ):
            sequence, document, moment, change, account, api, region, kind, body = due[0]
            self.execute("DELETE FROM changes WHERE sequence = ?", (sequence,))
            if change is None:
                self.execute("DELETE FROM documents WHERE sequence = ?", (document,))
                continue
            made, found = json.loads(change), json.loads(body)
            if isinstance(made, str):
                place = self.documents(account, api, region, kind)
                happen(made, datetime.fromtimestamp(moment, timezone.utc), place, found)
            else:
                self.execute(
                    "UPDATE documents SET body = ? WHERE sequence = ?",
                    (json.dumps({**found, **made}), document),
                )

    def of_kind(self, kind: str) -> list[Json]:
        """The documents of one kind, of all accounts, APIs and regions, in order of creation."""
        rows = self.execute("SELECT body FROM documents WHERE kind = ? ORDER BY sequence", (kind,))
        return [json.loads(row[0]) for row in rows]

    def everything(self) -> Json:
        """`{account: {region: {api: {kind: [document, …]}}}}`."""
        found: Json = {}
        for account, region, api, kind, body in self.execute(
            "SELECT account, region, api, kind, body FROM documents ORDER BY sequence"
        ):
            place = found.setdefault(account, {}).setdefault(region, {}).setdefault(api, {})
            place.setdefault(kind, []).append(json.loads(body))
        return found

    def clear(self) -> None:
        """Forget every document (the keys stay)."""
        self.execute("DELETE FROM documents")

    def made_up_key(self) -> tuple[str, str] | None:
        """The key pair that an earlier run on this file made up."""
        rows = self.execute("SELECT secret_id, secret_key FROM keys")
        return (str(rows[0][0]), str(rows[0][1])) if rows else None

    def keep_key(self, secret_id: str, secret_key: str) -> None:
        """Remember a made-up key pair, so that the file's resources stay within reach."""
        self.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (secret_id, secret_key))


class Documents:
    """The documents of one kind in one place; `read` and `page` see what a describe action sees.

    A document may be hidden for its first reads: then `read` and `page` pass over it and count.
    """

    def __init__(self, store: Store, place: tuple[str, str, str, str]) -> None:
        self._store = store
        self.place = place

    @property
    def account(self) -> str:
        """Whose documents these are."""
        return self.place[0]

    @property
    def api(self) -> str:
        """The service that they belong to."""
        return self.place[1]

    @property
    def region(self) -> str:
        """Where these documents are."""
        return self.place[2]

    def add(self, document_id: str, body: Json, hidden: int = 0) -> None:
        """Put a new document, unseen by the next `hidden` reads."""
        self._store.execute(
            "INSERT INTO documents (account, api, region, kind, id, body, hidden)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*self.place, document_id, json.dumps(body), hidden),
        )

    def get(self, document_id: str) -> Json | None:
        """One document, hidden or not."""
        rows = self._store.execute(
            "SELECT body FROM documents"
            " WHERE account = ? AND api = ? AND region = ? AND kind = ? AND id = ?",
            (*self.place, document_id),
        )
        return json.loads(rows[0][0]) if rows else None

    def replace(self, document_id: str, body: Json) -> None:
        """Change a document that is there."""
        self._store.execute(
            "UPDATE documents SET body = ?"
            " WHERE account = ? AND api = ? AND region = ? AND kind = ? AND id = ?",
            (json.dumps(body), *self.place, document_id),
        )

    def remove(self, document_id: str) -> None:
        """Forget a document."""
        self._store.execute(
            "DELETE FROM documents"
            " WHERE account = ? AND api = ? AND region = ? AND kind = ? AND id = ?",
            (*self.place, document_id),
        )

    def later(
        self, document_id: str, moment: datetime, name: str, change: Json | str | None
    ) -> None:
        """At `moment` of the resources' time, merge `change` into a document; `None` removes it.

        A word is the name of an `Api.event`. The moment may be over: the change is made before the
        next request is served. `name` says what goes on (such as `status`), for `cancel`.
        """
        self._store.execute(
            "INSERT INTO changes (document, name, moment, change)"
            " SELECT sequence, ?, ?, ? FROM documents"
            " WHERE account = ? AND api = ? AND region = ? AND kind = ? AND id = ?",
            (
                name,
                moment.timestamp(),
                None if change is None else json.dumps(change),
                *self.place,
                document_id,
            ),
        )

    def cancel(self, document_id: str, name: str) -> None:
        """Forget what was to happen later to a document under this name."""
        self._store.execute(
            "DELETE FROM changes WHERE name = ? AND document IN (SELECT sequence FROM documents"
            " WHERE account = ? AND api = ? AND region = ? AND kind = ? AND id = ?)",
            (name, *self.place, document_id),
        )

    def total(self, field: str) -> int:
        """The sum of a number in all of them, hidden ones too."""
        rows = self._store.execute(
            "SELECT total(json_extract(body, '$.' || ?)) FROM documents"
            " WHERE account = ? AND api = ? AND region = ? AND kind = ?",
            (field, *self.place),
        )
        return int(rows[0][0])

    def count(self) -> int:
        """How many there are, hidden ones too."""
        rows = self._store.execute(
            "SELECT count(*) FROM documents"
            " WHERE account = ? AND api = ? AND region = ? AND kind = ?",
            self.place,
        )
        return int(rows[0][0])

    def read(self, ids: Sequence[str] = ()) -> list[Json]:
        """All documents, or those of the ids given, in order of creation."""
        return self.page(ids)[1]

    def page(
        self, ids: Sequence[str] = (), offset: int = 0, limit: int = -1
    ) -> tuple[int, list[Json]]:
        """How many there are, and those of one page."""
        # The ids travel as one JSON array, so that the statements are the same for any number.
        chosen = (*self.place, json.dumps(list(ids)) if ids else None)
        total = self._store.execute(f"SELECT count(*) {SEEN}", chosen)[0][0]
        rows = self._store.execute(
            f"SELECT body {SEEN} ORDER BY sequence LIMIT ? OFFSET ?", (*chosen, limit, offset)
        )
        self._store.execute(
            "UPDATE documents SET hidden = hidden - 1"
            " WHERE account = ?1 AND api = ?2 AND region = ?3 AND kind = ?4 AND hidden > 0"
            " AND (?5 IS NULL OR id IN (SELECT value FROM json_each(?5)))",
            chosen,
        )
        return total, [json.loads(row[0]) for row in rows]
