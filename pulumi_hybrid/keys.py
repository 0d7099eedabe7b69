"""Whose requests these are: keys that are given, found, or lent for a while and renewed in time."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.errors import Error, Misconfigured
from pulumi_hybrid.settings import Cloud, Found, Key, Role, Settings, WebIdentity

_S = TypeVar("_S")

_RENEWED_BEFORE = 5 * 60.0
"""Seconds before its end at which a temporary key is renewed, or half its life, if that is less."""

_RENEWED_AGAIN_AFTER = 30.0
"""Seconds after a renewal that failed until the next, while the old key lasts."""


class Keys(ABC):
    """Where the keys that sign requests come from.

    Attributes:
        account: by which requests are counted: the key's id, or the role's ARN.
        origin: where they come from, for people.
    """

    account: str
    origin: str

    @abstractmethod
    def key(self) -> Key:
        """The key to sign with now.

        Raises:
            Error: there is none, or the vendor does not lend one.
        """

    def renew(self, refused: Key) -> bool:
        """Get another key in place of one that the vendor says has ended; False where none is."""
        return False


class GivenKey(Keys):
    """A key that the user has set.

    Args:
        key: it.
    """

    origin = "set"

    def __init__(self, key: Key) -> None:
        self.account = key.id
        self._key = key

    def key(self) -> Key:  # noqa: D102
        return self._key


STS_SECONDS = 60.0
"""How long a Security Token Service may take, tries and pauses included: requests wait for it."""

Sts = Callable[[Keys | None, str, Mapping[str, Any]], Mapping[str, Any]]
"""Asks a vendor's Security Token Service to do an action, and gives what it answers; the request is
signed with these keys, or not at all."""


class FoundKeys(Keys):
    """What one of the vendor's own credential classes finds, and renews by itself.

    Args:
        cloud: whose keys.
        origin: where it looks, for people.
        find: asks it.

    Raises:
        Misconfigured: nothing is found.
    """

    def __init__(self, cloud: Cloud, origin: str, find: Callable[[], Key]) -> None:
        self.origin = origin
        self._cloud = cloud
        self._find = find
        self.account = self.key().id

    def key(self) -> Key:  # noqa: D102
        try:
            return self._find()
        except Exception:  # noqa: BLE001 - each of the classes fails in a way of its own
            raise Misconfigured(
                f"no {self._cloud.title} key can be had from {self.origin}. Check it there"
            ) from None


class RoleKeys(Keys):
    """The temporary keys of a role, renewed before they end.

    The vendors' classes for it are passed by: they reach their own hosts over https alone, Tencent
    Cloud's takes no external id and asks again after a tenth of a key's life, Alibaba Cloud's with
    every request where a key lasts 15 minutes, and their errors hold whole answers.

    Args:
        arn: which role.
        seconds: how long a key is good for.
        lend: asks the vendor for one.
    """

    def __init__(self, arn: str, seconds: float, lend: Callable[[], Key]) -> None:
        self.account = arn
        self.origin = f"the role {arn}"
        self._seconds = seconds
        self._lend = lend
        self._lock = threading.Lock()
        self._key: Key | None = None
        self._life = Deadline(0)
        self._until_renewal = Deadline(0)

    def key(self) -> Key:  # noqa: D102
        with self._lock:
            if self._key is None or self._until_renewal.left <= 0:
                self._renew()
            assert self._key
            return self._key

    def renew(self, refused: Key) -> bool:
        """Get another key, unless another thread has done so already."""
        with self._lock:
            if self._key == refused:
                self._key = None
        return self.key() != refused

    def _renew(self) -> None:
        # By our own clock from here on: the vendor's may differ, and a key ends no sooner.
        life = Deadline(self._seconds)
        until_renewal = Deadline(self._seconds - min(_RENEWED_BEFORE, self._seconds / 2))
        try:
            self._key = self._lend()
        except Error as error:
            if self._key is None or self._life.left <= 0:
                # Whatever it was, the request that wants the key was not sent, and is not to be.
                raise Misconfigured(f"no key of {self.origin} could be had: {error}") from None
            # All requests wait for an answer here, and the old key is good for a while yet.
            self._until_renewal = Deadline(min(_RENEWED_AGAIN_AFTER, self._life.left))
        else:
            self._life, self._until_renewal = life, until_renewal


_SESSION_NAME = "pulumi_hybrid"


@dataclass(frozen=True)
class Lender:
    """How a vendor's Security Token Service lends a role's keys; AssumeRole itself is alike.

    Attributes:
        cloud: the vendor.
        sts: asks it.
        seconds: how long a key lasts where nothing is set.
        action: the action that takes on a role with an OIDC token.
        names: what that action calls the identity provider and the token.
        key: what answers call a key's id, its secret and its token.
        policy: writes a policy as AssumeRole takes it.
    """

    cloud: Cloud
    sts: Sts
    seconds: int
    action: str
    names: tuple[str, str]
    key: tuple[str, str, str]
    policy: Callable[[str], str] = str

    def role(self, settings: Settings, base: Keys) -> Keys:
        """The keys of the role that ``assumeRole`` names, else those that would take it on."""
        role, named = self.cloud.role, settings.role(self.cloud)
        if named is None:
            return base
        policy = settings.get(role.policy)
        asked = {
            "ExternalId": settings.get(role.external_id),
            "Policy": self.policy(policy) if policy else None,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        session = self._session(settings, role, named.value) | given
        return self._keys(session, lambda: self.sts(base, "AssumeRole", session))

    def web_identity(self, settings: Settings) -> Keys:
        """The keys of the role that an OIDC token takes on.

        Raises:
            Misconfigured: the role is not set, or there is no token.
        """
        identity = self.cloud.web_identity
        session = self._session(settings, identity, settings.required(identity.arn))
        provider = settings.required(identity.provider)
        settings.token(identity)

        def ask() -> Mapping[str, Any]:
            # The file may hold another one by now.
            named = dict(zip(self.names, (provider, settings.token(identity)), strict=True))
            return self.sts(None, self.action, session | named)

        return self._keys(session, ask)

    def _session(self, settings: Settings, role: Role | WebIdentity, arn: str) -> dict[str, Any]:
        return {
            "RoleArn": arn,
            "RoleSessionName": settings.get(role.session_name) or _SESSION_NAME,
            "DurationSeconds": settings.seconds(role.seconds, self.seconds),
        }

    def _keys(self, session: Mapping[str, Any], ask: Callable[[], Mapping[str, Any]]) -> Keys:
        return RoleKeys(
            session["RoleArn"], session["DurationSeconds"], lambda: lent(ask(), *self.key)
        )


def lent(answer: Mapping[str, Any], *names: str) -> Key:
    """The temporary key in an answer of the vendor's Security Token Service.

    Args:
        answer: it.
        names: what the key's id, its secret and its token are called there.

    Raises:
        Error: it lacks one of them.
    """
    credentials = answer["Credentials"]
    parts: list[Any] = []
    if isinstance(credentials, Mapping):
        parts = [credentials.get(name) for name in names]
    if not parts or not all(isinstance(part, str) and part for part in parts):
        raise Error("the answer of STS holds no whole key. Try again")
    return Key(*parts)


class Sessions(Generic[_S]):
    """One session for all that is set alike in a process, so that they share what it holds.

    Args:
        cloud: whose sessions.
        new: makes one. What it lacks is remembered too: the vendor's chain takes seconds to find
            nothing, and a thousand resources would ask it one by one.
    """

    def __init__(self, cloud: Cloud, new: Callable[[Settings], _S]) -> None:
        self._cloud = cloud
        self._new = new
        self._known: dict[tuple[Found | None, ...], _S | Misconfigured] = {}
        self._making = threading.Lock()

    def of(self, settings: Settings) -> _S:
        """The session for these settings.

        Raises:
            Misconfigured: there can be none.
        """
        values = settings.values(self._cloud)
        with self._making:
            if values not in self._known:
                try:
                    self._known[values] = self._new(settings)
                except Misconfigured as error:
                    self._known[values] = error
        known = self._known[values]
        if isinstance(known, Misconfigured):
            raise Misconfigured(known.reason)
        return known
