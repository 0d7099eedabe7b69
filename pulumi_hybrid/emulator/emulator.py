"""The emulator as a whole: what it holds, and a request's way through it."""

from __future__ import annotations

import copy
import secrets
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from . import control
from .access import Access
from .api import (
    Account,
    Action,
    Api,
    Arrival,
    Call,
    Control,
    ControlError,
    HttpAnswer,
    HttpRequest,
    Json,
    Setting,
    Vendor,
    VendorError,
)
from .apis import VENDORS
from .clock import Clock, StoppedClock
from .faults import Fault, Faults, altered, instead_of_work, read_fault, spoiled
from .ledger import ledger
from .rate_limit import RateLimit
from .request_log import RequestLog
from .server import Server
from .store import Documents, Store


class Emulator:
    """The vendors' APIs on one loopback port, for as long as a `with` block lasts.

    Args:
        port: where to listen; 0 takes a free one.
        accounts: key pairs that may sign, `{secret_id: secret_key or Account}`; the first is the
            one that `secret_id`, `secret_key` and `environment` name. `None` makes one up.
        data: a SQLite file that keeps the resources (and a made-up key pair) from one run to the
            next; `None` keeps them in memory.
        rate_limit: requests a second for each action and account; `None` is no limit.
        regions: what `environment` names as each vendor's region, and the default of `call`:
            `{"tencentcloud": "ap-guangzhou", "alibabacloud": "cn-hangzhou"}` where left out.

    Without `with`, call `start` and `stop`. Every control endpoint has its method here.
    """

    def __init__(
        self,
        port: int = 0,
        accounts: Mapping[str, str | Account] | None = None,
        data: str | Path | None = None,
        rate_limit: int | None = 20,
        regions: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self.regions = {vendor.name: vendor.region for vendor in VENDORS} | dict(regions or {})
        self._clock = Clock()
        self._faults = Faults()
        self._request_log = RequestLog()
        self._store = Store(data)
        self.accounts = {
            secret_id: Account(key) if isinstance(key, str) else key
            for secret_id, key in (accounts or self._made_up_account()).items()
        }
        self._access = Access(self.accounts)
        self._rate_limit = RateLimit()
        self._known_settings = {"rate_limit": Setting(20, nullable=True)}
        for api in self.apis():
            self._known_settings.update(api.settings)
        self._first_settings = {
            name: setting.default for name, setting in self._known_settings.items()
        } | {"rate_limit": rate_limit}
        self._settings = dict(self._first_settings)
        self._server: Server | None = None

    def _made_up_account(self) -> dict[str, str]:
        kept = self._store.made_up_key()
        if kept is None:
            # The form of the vendor's own, so that what looks for leaked keys finds them too.
            kept = (f"AKID{secrets.token_hex(16)}", secrets.token_hex(16))
            self._store.keep_key(*kept)
        return dict([kept])

    def make_up_account(self) -> str:
        """Add a key pair beside those given, the same one for ever on one `data`; its id."""
        made_up = self._made_up_account()
        self.accounts |= {secret_id: Account(key) for secret_id, key in made_up.items()}
        return next(iter(made_up))

    # --- life ---------------------------------------------------------------------------------

    def start(self) -> Emulator:
        """Listen; returns once a client can connect."""
        try:
            self._server = Server(self.port, self._answer, self._clock.signing_time)
        except OSError:
            self._store.close()
            raise
        return self

    def stop(self) -> None:
        """Close the port, the connections and the file; `start` cannot follow."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._store.close()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    # --- who and where ------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where it listens, by loopback address and port."""
        if self._server is None:
            raise RuntimeError("the emulator is not running: use it in a with block, or start()")
        return self._server.url

    @property
    def secret_id(self) -> str:
        """The first account's key id."""
        return next(iter(self.accounts))

    @property
    def secret_key(self) -> str:
        """The first account's secret key."""
        return self.accounts[self.secret_id].secret_key

    @property
    def key_pairs(self) -> dict[str, Account]:
        """Every account's key pairs by their ids, and those that STS gave out."""
        return dict(self._access.accounts)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that lead a program here, with the first account's keys."""
        return self.environment_of(self.secret_id)

    def environment_of(self, secret_id: str, only: str | None = None) -> dict[str, str]:
        """The same with other keys, STS's too; `only`: the name of the one vendor wanted."""
        variables: dict[str, str] = {}
        for vendor in VENDORS:
            if only in (None, vendor.name):
                variables |= vendor.environment(
                    self.url, secret_id, self._access.accounts[secret_id], self.regions[vendor.name]
                )
        return variables

    def apis(self) -> Iterator[Api]:
        """Every API served."""
        for vendor in VENDORS:
            yield from vendor.apis

    def services(self) -> dict[str, dict[str, str]]:
        """`{vendor: {service: version}}`."""
        return {
            vendor.name: {api.service: api.version for api in vendor.apis} for vendor in VENDORS
        }

    # --- orders to the emulator ---------------------------------------------------------------

    def fault(self, action: str, kind: str, count: int = 1, **more: Any) -> None:
        """Order requests to fail.

        Args:
            action: an action's name, or `*`.
            kind: one of `faults.KINDS`.
            count: how often, -1 for ever.
            more: `after` (so many matching requests pass first); `service`, `version`, `region`,
                `parameters` (which requests); `code`, `message`, `status`, `seconds`, `calls` (by
                kind).
        """
        known: dict[str, set[str]] = {}
        for api in self.apis():
            for name, served in api.actions.items():
                endings = known.setdefault(name, set())
                if more.get("service") in (None, api.service):
                    endings.update(served.endings)
        body = {"action": action, "kind": kind, "count": count, **more}
        self._faults.add(read_fault(body, known))

    def faults(self) -> list[Json]:
        """The orders that are still open."""
        return self._faults.left()

    def clear_faults(self) -> None:
        """Forget the orders that are still open."""
        self._faults.clear()

    def requests(self, action: str | None = None) -> list[Json]:
        """What arrived, in order, those refused for their signature too.

        Returns:
            list of {number, time (RFC 3339), monotonic (seconds), vendor, service, action,
            version, region, account (key id), language, parameters (parsed body or None), query,
            body (text), headers (lower case, nothing secret), status (None without an answer),
            ending (`answered`, `dropped`, `reset`; None while it is worked on), error_code (the
            vendor's or None), request_id, fault (kind or None)}.
        """
        return self._request_log.entries(action)

    def resources(self) -> Json:
        """Everything it holds, `{account: {region: {service: {kind: [document, …]}}}}`.

        The documents hold the once-only values, so that a test can look for them elsewhere.
        """
        self._catch_up()
        return self._store.everything()

    def ledger(self) -> Json:
        """What the accounts have been charged for, by which a test sees that nothing is paid twice.

        Returns:
            {count, counts ({purchase, renewal, conversion, upgrade, refund}), amount (cents; the
            sum of those in the details), entries (list of {number (from 1), time (RFC 3339),
            account, region, service, action (one of the five), resource_id, details})}.
        """
        self._catch_up()
        return ledger(self._store)

    def reset(self) -> None:
        """Resources, faults, requests, clocks, settings and rate limit as at the start.

        So is who may do what: no roles, none of the keys that STS gave out, nothing expired or
        denied.
        """
        self._store.clear()
        self._access.reset()
        self._faults.clear()
        self._request_log.clear()
        self._clock.reset()
        self._rate_limit.reset()
        self._settings = dict(self._first_settings)

    def clock(self, **changes: float) -> Json:
        """Move the clocks.

        Args:
            changes: `offset_hours` or `offset_seconds` (the resources' time, from the real one);
                `advance_seconds` (on top); `skew_seconds` (of the time signatures are checked
                against, and the header Date).

        Returns:
            {now (RFC 3339), offset_seconds, skew_seconds}.
        """
        return control.move_clock(self._clock, changes)

    def settings(self, **changes: Any) -> Json:
        """Change settings, all or none; returns all: `rate_limit` and the APIs' own."""
        for name, value in changes.items():
            if name not in self._known_settings:
                known = ", ".join(sorted(self._known_settings))
                raise ControlError(f"setting {name!r} is none of {known}")
            self._known_settings[name].check(name, value)
        self._settings = {**self._settings, **changes}
        return copy.deepcopy(self._settings)

    def role(
        self,
        arn: str,
        account: str | None = None,
        external_id: str | None = None,
        trusts: Sequence[str] | None = None,
    ) -> None:
        """Say what a role is. As long as a vendor has none, STS gives out keys of any role.

        Args:
            arn: the name that AssumeRole must name it by.
            account: whose its resources are, a key id or an account's name; default: the caller's
                (a web identity's: the first account's).
            external_id: what a caller must know.
            trusts: who may take it: key ids, other roles, and for web identities the ProviderId
                or OIDCProviderArn; default: all.
        """
        self._access.add_role(arn, account, external_id, trusts)

    def expire(self, account: str) -> None:
        """Refuse a key pair from now on as if its token had expired.

        Args:
            account: a key id, of those configured or from STS, or a role: all its keys until now.
        """
        self._access.expire(account)

    def deny(self, account: str, action: str, service: str | None = None) -> None:
        """Refuse an action to someone from now on for want of permission.

        Args:
            account: a key id, of those configured or from STS, or a role.
            action: an action's name, or `*`.
            service: such as `tat`; default: whichever has an action of this name.
        """
        apis = [api for api in self.apis() if service in (None, api.service)]
        if not any(action == "*" or action in api.actions for api in apis):
            raise ControlError(f"there is no action {action!r} of {service or 'any service'}")
        self._access.deny(account, action, service)

    def register(
        self,
        register_code_id: str | None = None,
        register_code_value: str | None = None,
        **more: Any,
    ) -> list[str]:
        """Pretend that machines register with a TAT code, or with an ECS activation.

        Args:
            register_code_id: of TAT.
            register_code_value: of TAT.
            more: `activation_id` and `activation_code` of ECS instead; and what `tat.register` or
                `ecs.register` takes besides.

        Returns:
            The new instances' ids. Raises `ControlError` with `details["reason"]` when refused.
        """
        codes = {
            "register_code_id": register_code_id,
            "register_code_value": register_code_value,
        }
        given = {name: value for name, value in codes.items() if value is not None}
        answer = self.endpoint("register", {**given, **more})
        return [str(instance_id) for instance_id in answer["instance_ids"]]

    def registry(
        self, registry_id: str, status: str, conditions: Sequence[Json] | None = None
    ) -> Json:
        """Change a TCR registry's status from outside; see `tcr.change_registry`."""
        body: Json = {"registry_id": registry_id, "status": status}
        if conditions is not None:
            body["conditions"] = list(conditions)
        return self.endpoint("registries", body)

    def arrears(self, in_arrears: bool = True, account: str | None = None) -> None:
        """Let an account (a key id; default: the first one) owe money, or pay.

        See `tcr.change_arrears`.
        """
        self.endpoint("arrears", {"in_arrears": in_arrears, "account": account})

    def deal(self, order_id: str, status: int) -> None:
        """Change a Billing order's status from outside; see `billing.change_deal`."""
        self.endpoint("deals", {"order_id": order_id, "status": status})

    def endpoint(self, name: str, body: Json) -> Json:
        """Call an API's own control endpoint, `POST /_emulator/<name>`."""
        self._catch_up()
        named = [(api, api.endpoints[name]) for api in self.apis() if name in api.endpoints]
        if not named:
            raise ControlError(f"there is no /_emulator/{name}", 404)
        api, endpoint = next((one for one in named if one[1].told_by in body), named[0])
        return endpoint.serve(
            Control(
                api=api,
                store=self._store,
                clock=self._clock,
                settings=self._settings,
                access=self._access,
                owner=self._owner_or_first,
                body=body,
            )
        )

    def call(
        self,
        service: str,
        version: str,
        action: str,
        params: Json | None = None,
        *,
        region: str | None = None,
        account: str | None = None,
    ) -> Json:
        """Run an action without HTTP, signature, faults, rate limit and log: a change from outside.

        Args:
            service: such as `tat`.
            version: such as `2020-10-28`.
            action: such as `DisableRegisterCodes`.
            params: what the request's body would be.
            region: default: the emulator's for the service's vendor.
            account: a key id; default: the first one.

        Returns:
            The answer without envelope and RequestId. Raises `VendorError`.
        """
        account = account or None
        self._owner_or_first(account)  # refuses one that is not configured
        secret_id = account or self.secret_id
        serving = [vendor for vendor in VENDORS if service in self.services()[vendor.name]]
        if not serving:
            raise ControlError(f"there is no service {service!r}")
        # Both vendors have an STS, told apart by its version.
        vendor = next(
            (one for one in serving if self.services()[one.name][service] == version), serving[0]
        )
        place = self.regions[vendor.name] if region is None else region
        arrival = Arrival(service, version, action, place, secret_id, "", params or {})
        api, found = vendor.find(arrival)
        return self._run(vendor, api, found, arrival, None)

    # --- a request's way ----------------------------------------------------------------------

    def _answer(self, request: HttpRequest) -> HttpAnswer:
        if request.path.startswith(control.PREFIX):
            return control.answer(self, request)
        for vendor in VENDORS:
            if vendor.recognises(request):
                return self._serve(vendor, request)
        return control.json_answer(
            404, {"error": "neither a signed API request nor one to /_emulator/"}
        )

    def _serve(self, vendor: Vendor, request: HttpRequest) -> HttpAnswer:
        request_id = vendor.request_id()
        arrival = vendor.read(request)
        entry = self._request_log.begin(vendor, request, arrival, request_id)
        fault: Fault | None = None
        try:
            now = self._clock.signing_time()
            vendor.authenticate(request, arrival, self._access.accounts, now)
            api, action = self._admit(vendor, arrival)
            # Taken only here, so that no order is used up by a request that fails of itself.
            fault = self._faults.take(arrival)
            answer = self._work(vendor, api, action, arrival, fault, request_id)
        except VendorError as error:
            answer = vendor.failure(error, request_id)
        except Exception:  # noqa: BLE001 - as from any service, a mistake here is a 500 there
            traceback.print_exc(file=sys.stderr)
            answer = vendor.failure(vendor.internal_error(), request_id)
        self._request_log.finish(entry, answer, fault.kind if fault else None)
        return answer

    def _admit(self, vendor: Vendor, arrival: Arrival) -> tuple[Api, Action]:
        secret_id = arrival.secret_id
        if self._access.expired(secret_id, self._clock.now()):
            raise vendor.expired()
        api, action = vendor.find(arrival)
        # A role's keys have no rate of their own.
        key = (api.service, api.version, action.name, self._access.owner(secret_id))
        if not self._rate_limit.admit(key, self._settings["rate_limit"]):
            raise vendor.throttled(action.name)
        if self._access.denies(secret_id, api.service, action.name):
            raise vendor.unauthorized(api, action.name)
        return api, action

    def _work(
        self,
        vendor: Vendor,
        api: Api,
        action: Action,
        arrival: Arrival,
        fault: Fault | None,
        request_id: str,
    ) -> HttpAnswer:
        if fault is None:
            return vendor.success(self._run(vendor, api, action, arrival, None), request_id)
        instead = instead_of_work(fault, vendor, action.name, request_id)
        if instead is not None:
            return instead
        try:
            result = self._run(vendor, api, action, arrival, fault)
            answer = vendor.success(altered(fault, action, result), request_id)
        except VendorError as error:
            answer = vendor.failure(error, request_id)
        return spoiled(fault, vendor, answer, request_id)

    def _run(
        self,
        vendor: Vendor,
        api: Api,
        action: Action,
        arrival: Arrival,
        fault: Fault | None,
    ) -> Json:
        parameters = vendor.check(action, arrival)
        with self._store.transaction():
            self._store.catch_up(self._clock.now(), self._happen)
            try:
                return action.run(
                    Call(
                        api=api,
                        store=self._store,
                        clock=self._clock,
                        settings=self._settings,
                        access=self._access,
                        account=self._access.owner(arrival.secret_id),
                        region=arrival.region if action.region_required else "",
                        parameters=parameters,
                        secret_id=arrival.secret_id,
                        fault=fault,
                    )
                )
            except VendorError as error:
                if not error.work_stays:
                    raise
                refusal = error
        raise refusal

    def _catch_up(self) -> None:
        with self._store.transaction():
            self._store.catch_up(self._clock.now(), self._happen)

    def _happen(self, event: str, moment: datetime, place: Documents, document: Json) -> None:
        api = next(api for api in self.apis() if api.service == place.api)
        call = Call(
            api=api,
            store=self._store,
            clock=StoppedClock(moment),
            settings=self._settings,
            access=self._access,
            account=place.account,
            region=place.region,
            parameters={},
        )
        api.events[event](call, document)

    def _owner_or_first(self, secret_id: str | None) -> str:
        if secret_id is None:
            return self._access.owner(self.secret_id)
        if secret_id not in self._access.accounts:
            raise ControlError(f"account {secret_id!r} is not configured")
        return self._access.owner(secret_id)
