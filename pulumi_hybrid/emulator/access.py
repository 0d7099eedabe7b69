"""Who may sign and who may do what: key pairs, roles, expired tokens, forbidden actions."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .api import Account, ControlError, Session

ROLES = ("qcs::cam::uin/", "acs:ram::")  # how the vendors' names of roles begin


@dataclass(frozen=True)
class Role:
    """A role, as `Emulator.role` describes it; `owner` is whose its resources are."""

    arn: str
    owner: str | None = None
    external_id: str | None = None
    trusts: frozenset[str] | None = None


class Access:
    """The accounts of the emulator's start, and all that changes who may do what.

    Args:
        configured: the accounts; the first one's are the resources of a role that a web identity
            takes, where nothing says whose they are.
    """

    def __init__(self, configured: dict[str, Account]) -> None:
        self._configured = configured
        self._temporary: dict[str, Account] = {}
        self._roles: dict[str, Role] = {}
        self._expired: set[str] = set()
        self._denied: set[tuple[str, str, str | None]] = set()
        # Key pairs that have expired stay: they are refused with other words than unknown ones.
        self.accounts: Mapping[str, Account] = ChainMap(self._temporary, configured)

    def reset(self) -> None:
        """Only the accounts of the start, and no roles."""
        self._temporary.clear()
        self._roles.clear()
        self._expired.clear()
        self._denied.clear()

    def owner(self, secret_id: str) -> str:
        """Whose a key id's resources are; nobody's where a request is not signed."""
        return (self.accounts[secret_id].name or secret_id) if secret_id else ""

    def expired(self, secret_id: str, now: datetime) -> bool:
        """Whether the key pair's token is no longer good."""
        session = self.accounts[secret_id].session if secret_id else None
        return secret_id in self._expired or (session is not None and session.expires <= now)

    def denies(self, secret_id: str, service: str, action: str) -> bool:
        """Whether the key pair, or the role that it is of, may not do this."""
        return any(
            (name, wanted, place) in self._denied
            for name in self._names(secret_id)
            for wanted in (action, "*")
            for place in (service, None)
        )

    # --- roles --------------------------------------------------------------------------------

    def find_role(self, arn: str) -> Role | None:
        """The role; any will do as long as none of its vendor's is configured."""
        vendor = arn.partition(":")[0]
        if any(known.startswith(vendor) for known in list(self._roles)):
            return self._roles.get(arn)
        return Role(arn)

    def trusts(self, role: Role, secret_id: str, provider: str, external_id: str | None) -> bool:
        """Whether a key pair, or what an identity provider vouches for, may take the role."""
        names = {provider, *self._names(secret_id)}
        # An external id that the role does not ask for is as good as none.
        return role.external_id in (None, external_id) and (
            role.trusts is None or not role.trusts.isdisjoint(names)
        )

    def give(
        self, role: Role, caller: str, secret_id: str, secrets: tuple[str, str], session: Session
    ) -> None:
        """Let a role's new key pair sign from now on; `secrets` are its key and its token."""
        owner = role.owner or self.owner(caller or next(iter(self._configured)))
        key, token = secrets
        self._temporary[secret_id] = Account(key, token, owner, session)

    # --- orders -------------------------------------------------------------------------------

    def add_role(
        self,
        arn: str,
        account: str | None,
        external_id: str | None,
        trusts: Sequence[str] | None,
    ) -> None:
        """Configure a role, see `Emulator.role`."""
        if not arn.startswith(ROLES):
            raise ControlError(f"arn: a role's begins with {' or '.join(ROLES)}")
        if trusts is not None and not all(isinstance(name, str) for name in trusts):
            raise ControlError("trusts: a list of str wanted")
        owners = {secret_id: self.owner(secret_id) for secret_id in self._configured}
        if account is not None and account not in {*owners, *owners.values()}:
            raise ControlError(f"account {account!r} is not configured")
        self._roles[arn] = Role(
            arn,
            owners.get(account, account) if account is not None else None,
            external_id,
            None if trusts is None else frozenset(trusts),
        )

    def expire(self, account: str) -> None:
        """Let the tokens of a key id expire, or of all that a role has given out."""
        found = {secret_id for secret_id in self.accounts if account in self._names(secret_id)}
        if not found:
            raise ControlError(f"there is no key {account!r}, and no key of such a role")
        self._expired |= found

    def deny(self, account: str, action: str, service: str | None) -> None:
        """Forbid an action (or `*`) to a key id or a role."""
        if account not in self.accounts and not account.startswith(ROLES):
            raise ControlError(f"account {account!r} is neither configured nor a role")
        self._denied.add((account, action, service))

    def _names(self, secret_id: str) -> set[str]:
        session = self.accounts[secret_id].session if secret_id else None
        return {secret_id} if session is None else {secret_id, session.role_arn}
