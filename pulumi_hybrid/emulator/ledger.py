"""What the accounts have been charged for, and whether they owe: for every API that sells.

An entry is written in the transaction of the request that costs money, so a refused request writes
none, and one whose answer is lost on its way writes one. Entries stay when what was bought goes.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from .api import Call, Control, Json
from .clock import rfc3339
from .store import Store

PURCHASE = "purchase"
RENEWAL = "renewal"
CONVERSION = "conversion"  # from pay-as-you-go to prepaid
UPGRADE = "upgrade"
REFUND = "refund"

ENTRIES = "ledger"

# Debts are the account's, not one product's or region's.
ACCOUNT, EVERYWHERE, DEBTS = "account", "", "debts"


def charge(call: Call, what: str, resource_id: str, **details: str | int) -> None:
    """Write down that `call` costs money (or, for a refund, brings some back).

    Args:
        call: whose, where, and by which API.
        what: one of the words above.
        resource_id: what was bought, or is kept for longer.
        details: such as `pay_mode`, `period` and `period_unit`, as the API has them; `amount`:
            how much in cents, less than nothing where it comes back, by the APIs that name prices.
    """
    number = len(_read(call.store)) + 1
    entry = {
        "number": number,
        "time": rfc3339(call.now),
        "account": call.account,
        "region": call.region,
        "service": call.api.service,
        "action": what,
        "resource_id": resource_id,
        "details": details,
    }
    call.documents(ENTRIES).add(str(number), entry)


def ledger(store: Store) -> Json:
    """All entries in order, how many there are of each kind, and what they add up to."""
    entries = _read(store)
    kinds = Counter(entry["action"] for entry in entries)
    counts = {what: kinds[what] for what in (PURCHASE, RENEWAL, CONVERSION, UPGRADE, REFUND)}
    amount = sum(entry["details"].get("amount", 0) for entry in entries)
    return {"count": len(entries), "counts": counts, "amount": amount, "entries": entries}


def spent(call: Call) -> int:
    """The cents that the account has paid by this API, without those that came back."""
    return call.documents(ENTRIES).total("details.amount")


def _read(store: Store) -> list[Json]:
    return store.of_kind(ENTRIES)


def in_arrears(call: Call) -> bool:
    """Whether the account owes money."""
    return call.store.documents(call.account, ACCOUNT, EVERYWHERE, DEBTS).get(DEBTS) is not None


def set_arrears(control: Control, account: str, since: datetime | None) -> None:
    """Let an account owe money from a moment on, or, with `None`, have paid."""
    debts = control.store.documents(account, ACCOUNT, EVERYWHERE, DEBTS)
    debts.remove(DEBTS)
    if since is not None:
        debts.add(DEBTS, {"since": rfc3339(since)})
