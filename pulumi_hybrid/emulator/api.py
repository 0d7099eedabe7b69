"""The words that the server, the vendors' envelopes and the APIs share.

`HttpRequest` arrives, a `Vendor` reads it into an `Arrival`, an `Api` holds the `Action` that was
asked for, the action is run with a `Call`, and the vendor writes the outcome as an `HttpAnswer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .access import Access
    from .clock import Clock
    from .faults import Fault
    from .store import Documents, Store

Json = dict[str, Any]


class VendorError(Exception):
    """A refusal as the vendor words it.

    `status` and `headers` are HTTP's for the vendors that use them; Tencent Cloud answers 200
    always. `work_stays`: what the action has done until then is not undone.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        *,
        work_stays: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})
        self.work_stays = work_stays


class ControlError(Exception):
    """An order to the emulator itself that it cannot carry out; `details` go into the answer."""

    def __init__(self, message: str, status: int = 400, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.details = details


@dataclass(frozen=True)
class Session:
    """What a role's key pair was given out for; `caller` is the account that asked for it."""

    role_arn: str
    name: str
    caller: str
    expires: datetime


@dataclass(frozen=True)
class Account:
    """One key pair.

    `token`: where set, requests must carry it (a temporary key pair). `name` is whose resources
    these are: the key's id where left out; two key pairs with one name share their resources.
    `session`: of which role it is, where STS has given it out.
    """

    secret_key: str
    token: str | None = None
    name: str | None = None
    session: Session | None = None


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came; header names in lower case, `query` as sent."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Ending(Enum):
    """What happens to the connection."""

    ANSWERED = "answered"
    DROPPED = "dropped"  # closed without an answer
    RESET = "reset"  # RST without an answer


@dataclass(frozen=True)
class HttpAnswer:
    """What goes back; `error_code` is the vendor's, for the request log."""

    status: int
    content_type: str
    body: bytes
    ending: Ending = Ending.ANSWERED
    error_code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Arrival:
    """What a request claims, before anything is checked; empty where it does not say.

    `parameters` is `None` where the body could not be read.
    """

    service: str
    version: str
    action: str
    region: str
    secret_id: str
    language: str
    parameters: Json | None


@dataclass(frozen=True)
class Call:
    """One checked request, as an action sees it.

    `parameters` holds every parameter that the request has or that has a default. `region` is empty
    where the action needs none, whatever the request says: what it is about is in no region.
    `secret_id` is the signer's, and it and `account` are empty where an action may be called
    unsigned. What happens by itself is a call too: without parameters, at its own moment.
    """

    api: Api
    store: Store
    clock: Clock
    settings: Mapping[str, Any]
    access: Access
    account: str
    region: str
    parameters: Json
    secret_id: str = ""
    fault: Fault | None = None

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def get(self, name: str) -> Any:
        """The parameter, or `None` where the request does not have it."""
        return self.parameters.get(name)

    @property
    def now(self) -> datetime:
        """The resources' time, which a test may have moved."""
        return self.clock.now()

    @property
    def stuck(self) -> bool:
        """Whether what this call makes shall never reach its next state."""
        return self.fault is not None and self.fault.kind == "stuck"

    @property
    def ending(self) -> str | None:
        """The state that what this call begins shall end in, where a test wants another one."""
        if self.fault is not None and self.fault.kind == "ends_in":
            return str(self.fault.status)
        return None

    @property
    def hidden_reads(self) -> int:
        """For how many reads what this call makes shall not be seen yet."""
        if self.fault is not None and self.fault.kind == "gone_for":
            return self.fault.calls or 0
        return 0

    def documents(self, kind: str) -> Documents:
        """The account's documents of one kind in this region."""
        return self.store.documents(self.account, self.api.service, self.region, kind)


@dataclass(frozen=True)
class Setting:
    """Something that `POST /_emulator/settings` changes; `None` allowed where `nullable`."""

    default: Any
    choices: tuple[Any, ...] = ()
    nullable: bool = False

    def check(self, name: str, value: Any) -> Any:
        """The value, or a `ControlError`."""
        if value is None and self.nullable:
            return None
        if self.choices:
            if value not in self.choices:
                raise ControlError(f"setting {name}: one of {', '.join(map(str, self.choices))}")
        elif type(value) is not type(self.default):
            raise ControlError(f"setting {name}: {type(self.default).__name__} wanted")
        elif isinstance(value, int) and value < 0:
            raise ControlError(f"setting {name}: may not be negative")
        elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise ControlError(f"setting {name}: a list of str wanted")
        return value


@dataclass(frozen=True)
class Control:
    """What the control endpoint of an API is given; `owner` is whose a key id's resources are.

    `owner(None)` is the first account; a `ControlError` where there is none with that id.
    """

    api: Api
    store: Store
    clock: Clock
    settings: Mapping[str, Any]
    access: Access
    owner: Callable[[str | None], str]
    body: Json


Run = Callable[[Call], Json]
Serve = Callable[[Control], Json]
Happen = Callable[[Call, Json], None]


@dataclass(frozen=True)
class Action:
    """One action of an API.

    `parameters` is in the vendor's own terms (only the vendor's module reads it). `ids` and
    `secrets` name the fields of the answer that the faults `no_id` and `no_secret` take away,
    however deep they are in it, `endings` the states that the fault `ends_in` may ask for. Where
    not `signed`, it may be called without any key.
    """

    name: str
    run: Run
    parameters: Mapping[str, Any]
    ids: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    region_required: bool = True
    signed: bool = True


@dataclass(frozen=True)
class Endpoint:
    """A control endpoint of an API.

    Where several APIs have one of this name, the one is meant whose `told_by` is in the body.
    """

    serve: Serve
    told_by: str | None


class Api:
    """One product in one version: its actions, its settings, its own control endpoints.

    An API's file makes one of these and adds to it with the decorators.
    """

    def __init__(
        self, service: str, version: str, settings: Mapping[str, Setting] | None = None
    ) -> None:
        self.service = service
        self.version = version
        self.settings = dict(settings or {})
        self.actions: dict[str, Action] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.events: dict[str, Happen] = {}

    def action(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        ids: tuple[str, ...] = (),
        secrets: tuple[str, ...] = (),
        endings: tuple[str, ...] = (),
        region_required: bool = True,
        signed: bool = True,
    ) -> Callable[[Run], Run]:
        """Register the function below as the action `name`."""

        def register(run: Run) -> Run:
            self.actions[name] = Action(
                name, run, parameters or {}, ids, secrets, endings, region_required, signed
            )
            return run

        return register

    def event(self, name: str) -> Callable[[Happen], Happen]:
        """Register the function below as what happens to a document at `later(…, name)`."""

        def register(happen: Happen) -> Happen:
            self.events[name] = happen
            return happen

        return register

    def endpoint(self, name: str, told_by: str | None = None) -> Callable[[Serve], Serve]:
        """Register the function below as `POST /_emulator/<name>`; `told_by`: see `Endpoint`."""

        def register(serve: Serve) -> Serve:
            self.endpoints[name] = Endpoint(serve, told_by)
            return serve

        return register


class Vendor(Protocol):
    """One vendor's envelope: how requests are read and signed, how answers and refusals look."""

    name: str
    region: str  # the default one
    apis: tuple[Api, ...]
    secret_parameters: tuple[str, ...]  # those that the request log must not hold

    def recognises(self, request: HttpRequest) -> bool:
        """Whether the request speaks this vendor's protocol."""

    def read(self, request: HttpRequest) -> Arrival:
        """What the request claims; never fails."""

    def authenticate(
        self,
        request: HttpRequest,
        arrival: Arrival,
        accounts: Mapping[str, Account],
        seconds: float,
    ) -> None:
        """Check the signature at the Unix time `seconds`; `VendorError` where it is wrong.

        It may be missing where the action is not `signed`; then the arrival has no key id.
        """

    def find(self, arrival: Arrival) -> tuple[Api, Action]:
        """The action asked for; `VendorError` where there is none."""

    def check(self, action: Action, arrival: Arrival) -> Json:
        """The parameters with their defaults; `VendorError` where one is wrong."""

    def request_id(self) -> str:
        """An id for a request, in the vendor's form."""

    def success(self, result: Json, request_id: str) -> HttpAnswer:
        """The result in the vendor's envelope."""

    def failure(self, error: VendorError, request_id: str) -> HttpAnswer:
        """The refusal in the vendor's envelope."""

    def throttled(self, action: str, retry_after: float | None = None) -> VendorError:
        """The refusal of one request too many in a second.

        `retry_after`: after so many seconds another try is welcome, for the vendors that say so.
        """

    def internal_error(self) -> VendorError:
        """The vendor's own mistake."""

    def expired(self) -> VendorError:
        """The refusal of a temporary key pair whose time is over."""

    def unauthorized(self, api: Api, action: str) -> VendorError:
        """The refusal of an action that the key pair has no permission for."""

    def environment(
        self, url: str, secret_id: str, account: Account, region: str
    ) -> dict[str, str]:
        """The environment variables that lead a program here."""

    def account_of(self, environment: Mapping[str, str]) -> tuple[str, Account] | None:
        """The key pair that the environment holds, as the provider reads it."""

    def region_of(self, environment: Mapping[str, str]) -> str:
        """The region that the environment names, else the default one."""

    def loggable_headers(self, request: HttpRequest) -> dict[str, str]:
        """The headers worth keeping, without anything secret."""
