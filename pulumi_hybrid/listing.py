"""What a refresh asks the vendor, page by page instead of one by one.

A provider process lives for one run of the engine, which has every resource read in turn and tells
of none beforehand. A page shows a hundred, ours and others': worth its request where it answers for
several, and lost where the account is full of others' resources. So pages are paid with what
earlier pages have saved, and all together are never more requests than reading one by one, but for
what is lent at the beginning.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from pulumi_hybrid.errors import Error

Item = dict[str, Any]
"""A resource as the vendor's listing shows it."""

Page = tuple[dict[Any, Item], int]
"""A page's items by id, and how many pages there are."""

_LENT = 2
"""Requests for pages before one has saved any: they show both ends of the listing."""
_FEW_PAGES = 5
"""So many are lent where there are no more: together they show everything."""
_SECONDS_FRESH = 120.0
"""How long a page answers: longer than a large stack's refresh takes."""


class Listing:
    """The pages of one listing that this process has fetched, and what they have saved.

    Vendors list from the oldest to the newest or the other way, and do not say which; the engine
    reads in the order in which the stack was made. So pages are fetched from both ends inwards, and
    from the end where the last one was of use.
    """

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._credit = _LENT
        self._to_lend = _FEW_PAGES - _LENT
        self._first = True
        self._refused = False
        self._fetching = False
        self._begin()

    def _begin(self) -> None:
        self._items: dict[Any, Item] = {}
        self._begun = time.monotonic()
        self._unseen = range(1)
        self._from_the_end = False

    def forget(self) -> None:
        """Let go of all pages, and of one that is under way: something was changed."""
        with self._lock:
            self._begin()

    def find(self, id: str, fetch: Callable[[int], Page]) -> Item | None:
        """A resource as a page of moments ago shows it.

        Args:
            id: the resource's id.
            fetch: fetches a page by its number, from 0.

        Returns:
            The item. None where no page shows it and another one is not worth its request: then the
            resource is to be asked for by its id, which alone tells whether it is gone.
        """
        with self._lock:
            first, self._first = self._first, False
        if first:
            # For a single resource no page is worth its request.
            return None
        while True:
            with self._lock:
                # What another thread waits for may answer for this one, too.
                self._lock.wait_for(lambda: id in self._items or not self._fetching)
                if time.monotonic() - self._begun > _SECONDS_FRESH:
                    self._begin()
                if id in self._items:
                    self._credit += 1
                    return self._items[id]
                if self._refused or not self._unseen or not self._credit:
                    return None
                self._credit -= 1
                self._fetching = True
                items, number = self._items, self._unseen[-1 if self._from_the_end else 0]
            page: dict[Any, Item] | None = None
            pages = 0
            try:
                page, pages = fetch(number)
            except Error:
                # A key may see its own resources and no listing of all. What else it may be, the
                # request by id will tell.
                self._refused = True
            finally:
                with self._lock:
                    self._fetching = False
                    self._lock.notify_all()
                    # Else something was changed meanwhile.
                    if page is not None and self._items is items:
                        self._keep(page, pages, found=id in page)

    def _keep(self, page: dict[Any, Item], pages: int, *, found: bool) -> None:
        if not self._items and self._unseen == range(1):
            self._unseen = range(pages)
            if pages <= _FEW_PAGES:
                self._credit += self._to_lend
                self._to_lend = 0
        self._unseen = self._unseen[:-1] if self._from_the_end else self._unseen[1:]
        self._items.update(page)
        if not found:
            self._from_the_end = not self._from_the_end


_listings: dict[Hashable, Listing] = {}


def listing_of(place: Hashable) -> Listing:
    """The listing of a product, account and region in this process."""
    return _listings.setdefault(place, Listing())


def pages_of(total: int | None, size: int) -> int:
    """How many pages so many items fill; none where the vendor does not say how many."""
    return -(-(total or 0) // size)
