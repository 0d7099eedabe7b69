from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid import listing
from pulumi_hybrid.errors import Error
from pulumi_hybrid.listing import Item, Listing, Page, pages_of

SIZE = 10
LENT = 2
FEW = 5


class Cloud:
    """A vendor's listing, and the requests that it takes.

    Args:
        ids: what there is, as it is listed.
    """

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)
        self.pages: list[int] = []
        self.by_id = 0
        self.listing = Listing()
        self.fetch: Callable[[int], Page] = self._page

    def _page(self, number: int) -> Page:
        self.pages.append(number)
        shown = self.ids[number * SIZE : (number + 1) * SIZE]
        return {id: {"Id": id} for id in shown}, pages_of(len(self.ids), SIZE)

    def read(self, id: str) -> Item | None:
        """As a resource does."""
        item = self.listing.find(id, self.fetch)
        if item is None:
            self.by_id += 1
            item = {"Id": id} if id in self.ids else None
        return item

    @property
    def requests(self) -> int:
        return len(self.pages) + self.by_id


def _ids(count: int, what: str = "own") -> list[str]:
    return [f"{what}-{number}" for number in range(count)]


@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_stack_is_read_by_the_pages_that_hold_it_whichever_way_the_vendor_lists(order: int) -> None:
    own = _ids(100)
    cloud = Cloud(*own[::order])
    assert [cloud.read(id) for id in own] == [{"Id": id} for id in own]
    assert sorted(cloud.pages) == list(range(10))
    assert cloud.by_id == 1


@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_foreign_resources_at_one_end_cost_no_pages_of_their_own(order: int) -> None:
    own = _ids(100)
    cloud = Cloud(*[*own, *_ids(5000, "foreign")][::order])
    assert all(cloud.read(id) for id in own)
    assert cloud.requests <= 10 + LENT


def test_listing_without_own_resources_costs_what_is_lent_and_no_more() -> None:
    own = _ids(50)
    cloud = Cloud(*_ids(500, "foreign"), *own, *_ids(500, "later"))
    assert all(cloud.read(id) for id in own)
    assert cloud.requests == len(own) + LENT


def test_all_of_a_short_listing_is_read_wherever_the_own_ones_are() -> None:
    own = _ids(20)
    cloud = Cloud(*_ids(15, "older"), *own, *_ids(15, "younger"))
    assert all(cloud.read(id) for id in own)
    assert (cloud.by_id, len(cloud.pages)) == (1, FEW)
    # Lent once, however often it is forgotten.
    for id in own:
        cloud.listing.forget()
        assert cloud.read(id)
    assert cloud.requests <= 2 * len(own) + FEW


def test_single_resource_is_asked_for_by_its_id() -> None:
    cloud = Cloud("own-0", *_ids(500, "foreign"))
    assert cloud.read("own-0")
    assert cloud.requests == cloud.by_id == 1


def test_what_no_page_shows_is_asked_for_by_its_id() -> None:
    cloud = Cloud(*_ids(30))
    cloud.fetch = lambda _: ({}, 1)
    assert all(cloud.read(id) for id in _ids(30))
    assert cloud.by_id == 30


def test_listing_that_is_refused_is_not_asked_for_again() -> None:
    cloud = Cloud(*_ids(30))
    tries = []

    def refuse(number: int) -> Page:
        tries.append(number)
        raise Error("the key may see no listing.")

    cloud.fetch = refuse
    assert all(cloud.read(id) for id in _ids(30))
    assert (tries, cloud.by_id) == ([0], 30)


def test_change_makes_what_was_seen_worthless() -> None:
    cloud = Cloud(*_ids(20))
    for id in _ids(10):
        cloud.read(id)
    cloud.ids.remove("own-5")
    cloud.listing.forget()
    assert cloud.read("own-5") is None


def test_change_while_a_page_is_under_way_makes_it_worthless() -> None:
    cloud = Cloud(*_ids(20))
    cloud.read("own-0")
    fetch = cloud.fetch

    def late(number: int) -> Page:
        page = fetch(number)
        if "own-5" in cloud.ids:
            cloud.ids.remove("own-5")
            cloud.listing.forget()
        return page

    cloud.fetch = late
    assert cloud.read("own-5") is None


def test_page_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(*_ids(20))
    for id in _ids(10):
        cloud.read(id)
    cloud.ids.remove("own-5")
    monkeypatch.setattr(listing, "_SECONDS_FRESH", 0)
    assert cloud.read("own-5") is None


def test_threads_that_ask_at_once_share_a_page() -> None:
    """Four at a time is how the engine calls hooks."""
    cloud = Cloud(*_ids(4))
    cloud.read("own-0")
    fetch, under_way, may_go_on = cloud.fetch, threading.Event(), threading.Event()

    def slow(number: int) -> Page:
        under_way.set()
        assert may_go_on.wait(30)
        return fetch(number)

    cloud.fetch = slow
    found: list[Item | None] = []

    def read(id: str) -> None:
        found.append(cloud.read(id))

    threads = [threading.Thread(target=read, args=(id,)) for id in _ids(4)]
    for thread in threads:
        thread.start()
    assert under_way.wait(30)
    may_go_on.set()
    for thread in threads:
        thread.join()
    assert all(found)
    assert cloud.pages == [0]
    assert cloud.by_id == 1


Event = Callable[[Cloud], None]


def _events(ids: list[str]) -> st.SearchStrategy[Event]:
    """What others do between two reads."""

    def deletes(id: str) -> Event:
        return lambda cloud: cloud.ids.remove(id) if id in cloud.ids else None

    def makes(place: int) -> Event:
        return lambda cloud: cloud.ids.insert(place, f"new-{place}-{len(cloud.ids)}")

    def changes(cloud: Cloud) -> None:
        cloud.listing.forget()

    def nothing(cloud: Cloud) -> None:
        pass

    return st.one_of(
        st.just(nothing),
        st.sampled_from(ids).map(deletes),
        st.integers(0, 200).map(makes),
        st.just(changes),
    )


@given(data=st.data())
def test_never_a_wrong_answer_and_never_more_requests_than_one_by_one(data: st.DataObject) -> None:
    own = _ids(data.draw(st.integers(1, 60)))
    foreign = _ids(data.draw(st.integers(0, 150)), "foreign")
    cloud = Cloud(*data.draw(st.permutations([*own, *foreign])))
    # A vendor may leave out what it ought to show, or be wrong about how much there is.
    hidden = data.draw(st.sets(st.sampled_from(own)))
    too_many = data.draw(st.integers(-3, 3))
    fetch = cloud.fetch

    def patchy(number: int) -> Page:
        page, pages = fetch(number)
        return {id: page[id] for id in page if id not in hidden}, max(0, pages + too_many)

    cloud.fetch = patchy
    there_at_first = set(cloud.ids)
    for id in own:
        data.draw(_events([*own, *foreign]))(cloud)
        item = cloud.read(id)
        if id in cloud.ids:
            assert item == {"Id": id}
        elif item is not None:
            # As a page showed it moments ago.
            assert item == {"Id": id}
            assert id in there_at_first - hidden
    assert cloud.requests <= len(own) + FEW
