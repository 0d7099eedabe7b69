"""What happens to a resource from the first preview to its end, once for all resources.

A resource's own module describes it (``Lifecycle``'s class attributes) and says how the vendor's
API makes, shows and removes one (``Lifecycle``'s abstract methods). Everything else is here: checks
before any request, what a change does, adoption, drift, rotation, and that no id and no secret is
lost between the vendor's answer and the state.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast, get_args

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import UNKNOWN

from pulumi_hybrid import engine
from pulumi_hybrid.api import Api
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.engine import Call
from pulumi_hybrid.errors import Error, Gone, InitFailed, Misconfigured, ended
from pulumi_hybrid.fields import ADOPT_ID, REGION, AutoName, Field, OnChange
from pulumi_hybrid.settings import Cloud, Settings


@dataclass(eq=False, repr=False)
class _Seen:
    """What a run has shown of one URN.

    Attributes:
        declared: whether the program declares it in this run.
        existed: whether it held a resource before.
        region: that one's; None where none is known.
        named: whether the program gives its unique name.
        kept: the id of what must not be deleted, since the URN goes on holding it.
        replaced: the outputs of what is to be replaced; None where nothing is.
    """

    declared: bool = False
    existed: bool = False
    region: str | None = None
    named: bool = False
    kept: str = ""
    replaced: Properties | None = None


@dataclass(eq=False, repr=False)
class _Adoption:
    """Who takes over an existing resource in a run, and whether that is done."""

    urn: str
    done: bool = False


class _Run:
    """What one provider process, which lives for one run, has seen of it.

    The engine replaces by an ordinary create and an ordinary delete, and tells neither that it is
    one; and for the new one it checks the inputs without those of the old.

    Attributes:
        adoptions: by kind and id.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self.adoptions: dict[tuple[type[Lifecycle], str], _Adoption] = {}

    def of(self, call: Call) -> _Seen:
        """The record of a call's URN; a call without one gets one that it shares with nobody."""
        return self._seen.setdefault(call.urn, _Seen()) if call.urn else _Seen()


_run = _Run()

_TRIES_TO_SHOW = 8
"""Looks, a second apart, at what was made just now: none of the vendors says how soon it shows."""

_SET_REGION = "set it on the resource"

Properties = dict[str, Any]
"""A resource's inputs or outputs by their names in the program; None or absent is not given."""


@dataclass(eq=False, repr=False)
class Made:
    """What a create action answered.

    Attributes:
        id: the vendor's id.
        secrets: what is shown only this once, by output name.
        known: what else is known of it, by output name.
    """

    id: str
    secrets: Properties = field(default_factory=dict)
    known: Properties = field(default_factory=dict)


class Lifecycle(ResourceProvider, ABC):
    """A resource's provider: stateless where it is serialized, its class at one path for ever.

    Attributes:
        kind: the resource's name in the program ("RegisterCode").
        cloud: whose it is.
        inputs: what goes in.
        id_output: the output that is the vendor's id by its own name.
        outputs: what else comes out beside the inputs, once-only secrets not counted.
        secrets: outputs that the vendor shows only once.
        notes: outputs that the vendor does not show: what a run leaves for the next to know.
        unique: the input that no two resources may share: while it stays the same, the old resource
            is deleted before the new one is made.
        seconds: how long a create, update or delete may take where the user's ``custom_timeouts``
            say nothing.
        found_again: whether making one again with the same inputs finds the one that is there.
            Then it is not removed at once where the engine goes meanwhile, nor where the
            replacement turns out to be the resource itself.
        replacing: what a replacement costs, for the preview to say; empty where it is nothing.
    """

    # The class is serialized by its name alone, and there is nothing secret in a name.
    serialize_as_secret_always = False

    kind: ClassVar[str]
    cloud: ClassVar[Cloud]
    inputs: ClassVar[Sequence[Field]]
    id_output: ClassVar[str]
    outputs: ClassVar[Sequence[str]]
    secrets: ClassVar[Sequence[str]] = ()
    notes: ClassVar[Sequence[str]] = ()
    unique: ClassVar[AutoName | None] = None
    seconds: ClassVar[float] = 5 * 60
    found_again: ClassVar[bool] = False
    replacing: ClassVar[str] = ""

    settings = Settings()

    # What the vendor's API does.

    @abstractmethod
    def connect(self, region: str, call: Call, deadline: Deadline) -> Api:
        """The vendor's API in a region, for one call of the engine."""

    @abstractmethod
    def make(self, api: Api, inputs: Properties) -> Made:
        """Call the create action, once. What it answered must not be lost: nothing else here."""

    @abstractmethod
    def look_up(self, api: Api, id: str, inputs: Properties) -> Properties | None:
        """Inputs and outputs as they are in the cloud; None where there is no such resource.

        Args:
            api: the vendor's API.
            id: the resource's id.
            inputs: all that the program gives, and the notes of earlier runs.
        """

    def look_up_for_refresh(self, api: Api, id: str, inputs: Properties) -> Properties | None:
        """The same for a refresh, where what a listing showed moments ago will do.

        None only where ``look_up`` says so: a listing may lag, or leave something out.
        """
        return self.look_up(api, id, inputs)

    def look_up_while_waiting(self, api: Api, id: str, inputs: Properties) -> Properties | None:
        """The same for what is being waited for, so that those who wait may share a request."""
        return self.look_up(api, id, inputs)

    def change(
        self, api: Api, id: str, now: Properties, inputs: Properties, names: list[str]
    ) -> None:
        """Change inputs where the resource is; only called where some are described so.

        Args:
            api: the vendor's API.
            id: the resource's id.
            now: what ``look_up`` says.
            inputs: all that the program gives.
            names: the inputs to change.
        """

    @abstractmethod
    def remove(self, api: Api, id: str, inputs: Properties) -> None:
        """Delete it as the inputs, and the notes of earlier runs, say; gone is deleted."""

    def finish(self, api: Api, id: str, inputs: Properties, before: Properties) -> Properties:
        """Bring a resource that exists to what the inputs ask, as far as creating it did not.

        Safe to repeat: a run that was cut off is taken up again here.

        Args:
            api: the vendor's API.
            id: the resource's id.
            inputs: all that the program gives.
            before: the outputs of the last run; empty where the resource is made in this one.

        Returns:
            What ``look_up`` says in the end.

        Raises:
            Gone: it never showed. A few seconds are normal.
            NotReady: it is there, but not as it should be.
        """
        now = self._await(api, id, inputs)
        if now is None:
            raise Gone("the vendor does not show it.")
        return now

    def contradictions(self, inputs: Properties) -> list[str]:
        """What is wrong with inputs taken together, each beginning with a property's name.

        Args:
            inputs: those that are right by themselves; what is not known yet, or wrong, is an
                unknown.
        """
        return []

    def remarks(self, before: Properties, inputs: Properties, outputs: Properties) -> list[str]:
        """What the user is to know before an update: what it costs, and what it does not do."""
        return []

    def overdue(self, inputs: Properties, outputs: Properties) -> bool:
        """Whether ``finish`` has something to do although no input changed."""
        return False

    def orphans(self, api: Api, name: str) -> list[str]:
        """Ids of resources that an interrupted run may have made with another made-up name."""
        return []

    def irreplaceable(self, inputs: Properties, outputs: Properties) -> str:
        """Why it may not be replaced as it is, and what to do first; empty where it may."""
        return ""

    def unfit(self, now: Properties, inputs: Properties) -> str:
        """What is wrong with an existing one that it cannot be taken over, and what to do."""
        return ""

    def worn_out(self, inputs: Properties, outputs: Properties) -> list[str]:
        """The outputs that ask for a new resource although no input changed."""
        return []

    # What the engine asks for.

    def configure(self, req: ConfigureRequest) -> None:
        """Keep what is set for this process. Never called where the provider is serialized."""
        self.settings = Settings(req.config)

    @engine.hook("check")
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Every wrong input at once, and the inputs as they are kept; no request is made."""
        call = engine.call()
        seen = _run.of(call)
        seen.declared = True
        if _olds:
            seen.existed = True
            seen.region = _olds.get(REGION.name)
        given = {
            name: value
            for name, value in news.items()
            if name != engine.PROVIDER_KEY and value is not None
        }
        problems = [
            f"{name}: is not an input of {self.kind}" for name in given if name not in self._names
        ]
        if self._is_regional and REGION.name not in given:
            try:
                given[REGION.name] = self._region({REGION.name: seen.region})
            except Misconfigured as error:
                problems.append(error.reason)
        seen.named = bool(self.unique and self.unique.name in given)
        kept: Properties = {}
        wrong: Properties = {}
        for an_input in self.inputs:
            value = given.get(an_input.name)
            if value is None:
                value = an_input.filled(_olds.get(an_input.name), call)
            if value is None and an_input.required:
                problems.append(f"{an_input.name}: is not given")
            if value is None or engine.is_unknown(value):
                kept[an_input.name] = value
            elif found := list(an_input.problems(value)):
                problems += found
                wrong[an_input.name] = UNKNOWN
            else:
                kept[an_input.name] = an_input.normal(value)
        problems += [
            problem
            for problem in self.contradictions(kept | wrong)
            if problem.partition(":")[0] not in wrong
        ]
        # The engine prints the value of a property that a failure names, secret or not.
        return CheckResult(kept, [CheckFailure("", problem) for problem in problems])

    @engine.hook("compare")
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """What a change of an input does, and whether the resource has worn out."""
        call = engine.call()
        seen = _run.of(call)
        before = self._before(_olds, _news, call)
        replaces = self._changed(OnChange.REPLACE, before, _news)
        if not any(engine.is_unknown(_news.get(name)) for name in self._names):
            replaces += self.worn_out(_news, _olds)
        certain_to = [name for name in replaces if not engine.is_unknown(_news.get(name))]
        if certain_to and (why_not := self.irreplaceable(_news, _olds)):
            raise Error(f"the change of {' and '.join(certain_to)} replaces it, but {why_not}")
        if replaces:
            seen.replaced = dict(_olds)
        elif self.found_again and not self._sends_otherwise(before, _news):
            # It may also wait for its deletion, where a run replaced it by itself and failed.
            seen.kept = _id
        certain = bool(replaces) or self.overdue(_news, _olds)
        updates = self._changed(OnChange.UPDATE, before, _news)
        if replaces and self.replacing:
            call.warn(f"{' and '.join(replaces)} changed: {self.replacing}.")
        if not replaces:
            for remark in self.remarks(before, _news, _olds):
                call.warn(remark)
        return DiffResult(
            # Left open, the engine compares for itself, and heeds replace_on_changes.
            changes=certain or (None if updates else False),
            replaces=replaces,
            delete_before_replace=self._stands_in_the_way(before, _news, call),
        )

    @engine.hook("create")
    def create(self, props: Properties) -> CreateResult:
        """Make one, or take over the one that ``adopt_id`` names."""
        call = engine.call()
        seen = _run.of(call)
        inputs = self._given(props)
        api = self._connect(inputs, call)
        adopt_id = inputs.get(ADOPT_ID.name)
        if adopt_id and not seen.existed:
            adoption = _Adoption(call.urn)
            if call.urn:
                _run.adoptions[type(self), adopt_id] = adoption
            adopted = self._adopt(api, adopt_id, inputs, call)
            adoption.done = True
            return CreateResult(adopt_id, adopted)
        call.replaces = seen.existed
        call.replaced = seen.replaced or {}
        if not call.replaces and self.unique and self._is_made_up(self.unique, inputs, call):
            for id in self.orphans(api, inputs[self.unique.name]):
                call.warn(
                    f"{self.kind} {id} bears a name made up for a resource of this name. If no "
                    "stack holds it, an interrupted run made it: take it over with "
                    f'adopt_id="{id}", or delete it.'
                )
        made = self.make(api, inputs)
        if self.found_again:
            # Whether it replaces is not always told: a run deletes nothing that it has just made.
            seen.kept = made.id
        try:
            if call.abandoned and not self.found_again:
                raise Gone("the engine has gone.")
            return CreateResult(made.id, self._finish(api, made, inputs, made.known))
        finally:
            if call.abandoned and not self.found_again:
                # Nobody will ever hold this id. Undone now, it is no orphan; and at once, since the
                # engine ends this process soon.
                call.undoes = True
                self._undone(api, made.id, inputs)

    @engine.hook("read")
    def read(self, id_: str, props: Properties) -> ReadResult:
        """What is in the cloud; inputs follow where it was changed there."""
        call = engine.call()
        before = self._given(props)
        # What is in state has its id among its outputs; what `get` asks for has none yet.
        first_look = self.id_output not in props
        api = self._connect(before, call, "give region" if first_look else _SET_REGION)
        once_only = self._once_only(props)
        unfinished = not any(name in props for name in self.outputs)
        noted = {**before, **self._notes(props)}
        if first_look:
            now = self._look_up(api, id_, noted)
        elif unfinished:
            now = self._await(api, id_, noted)
        else:
            now = self._look_up(api, id_, noted, self.look_up_for_refresh)
        if now is None and first_look:
            raise self._nothing_there(id_, before, f"Check the id{self._and_region}")
        if now is None:
            made = ", which a run made and did not finish," if unfinished else ""
            call.warn(
                f"{self.kind} {id_}{made} is gone, as far as the vendor shows, and is dropped from "
                "state. If it is there all the same, take it over with adopt_id."
            )
            return ReadResult("", {})
        if first_look and self.secrets:
            call.warn(self._secret_is_lost(id_))
        now = {**self._notes(props), **now}
        inputs = self._given(before if call.old_inputs is None else call.old_inputs)
        if self._is_regional:
            inputs[REGION.name] = before[REGION.name]
        if not unfinished:
            inputs |= self._drift(props, now)
        return ReadResult(id_, self._outputs(id_, before, now, once_only), inputs)

    @engine.hook("update")
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Change what can be changed in place; finish what an earlier run left unfinished."""
        call = engine.call()
        inputs = self._given(_news)
        api = self._connect(inputs, call)
        if self.found_again:
            _run.of(call).kept = _id
        before = self._before(_olds, inputs, call)
        names = self._changed(OnChange.UPDATE, before, inputs)
        if names:
            now = self._await(api, _id, {**inputs, **self._notes(_olds)})
            if now is None:
                raise Gone("the vendor does not show it. If it was deleted, run `pulumi refresh`")
            self.change(api, _id, now, inputs, names)
        return UpdateResult(self._finish(api, Made(_id, self._once_only(_olds)), inputs, _olds))

    @engine.hook("delete")
    def delete(self, _id: str, _props: Properties) -> None:
        """Delete it; gone is success."""
        call = engine.call()
        seen = _run.of(call)
        # What tells how to delete is an input that no output repeats.
        inputs = self._given({**_props, **(call.old_inputs or {})})
        if seen.kept == _id:
            call.warn(
                f"{self.kind} {_id} was replaced by itself, since the same inputs are the same to "
                "the vendor, and is not deleted."
            )
            return
        if adoption := _run.adoptions.get((type(self), _id)):
            if not adoption.done:
                raise Error(
                    f"{engine.name_of(adoption.urn)}, whose adopt_id names it, has not taken it "
                    "over. It is neither deleted nor let go of: mend that one first"
                )
            call.warn(
                f"{self.kind} {_id} was replaced by itself, since adopt_id names it, and is not "
                "deleted. For a new one take adopt_id out, then replace it."
                if adoption.urn == call.urn
                else f"{self.kind} {_id} is not deleted: {engine.name_of(adoption.urn)} has taken "
                "it over, whose adopt_id names it."
            )
            return
        # Of what depends on a resource that is deleted first, the engine asks for a diff before it
        # deletes, but for no check.
        call.replaces = seen.declared or seen.replaced is not None
        api = self._connect(inputs, call)
        self.remove(api, _id, {**inputs, **self._notes(_props)})
        # What is made next for it takes its place.
        seen.existed = True
        seen.region = seen.region or inputs.get(REGION.name)

    # What the hooks share.

    @property
    def _is_regional(self) -> bool:
        return REGION in self.inputs

    @property
    def _and_region(self) -> str:
        return " and the region" if self._is_regional else ""

    def _notes(self, props: Mapping[str, Any]) -> Properties:
        return {name: props[name] for name in self.notes if props.get(name) is not None}

    @property
    def _own_outputs(self) -> tuple[str, ...]:
        """The outputs that are not inputs."""
        return (*self.outputs, *self.notes)

    @property
    def _names(self) -> list[str]:
        return [an_input.name for an_input in self.inputs]

    def _given(self, props: Mapping[str, Any]) -> Properties:
        """The inputs among the properties, numbers as the vendor takes them."""
        return {
            an_input.name: an_input.normal(props[an_input.name])
            for an_input in self.inputs
            if props.get(an_input.name) is not None
        }

    def _sent(self, inputs: Properties) -> Properties:
        """The inputs that travel in the create action, by their API names."""
        return {
            an_input.wire_name: an_input.on_wire(inputs[an_input.name])
            for an_input in self.inputs
            if an_input.sent and an_input.name in inputs
        }

    def _before(self, outputs: Properties, news: Properties, call: Call) -> Properties:
        """What the inputs were: those that the program did not give, as the cloud shows them."""
        if call.old_inputs is None:
            return outputs
        shown = {
            an_input.name: outputs.get(an_input.name)
            for an_input in self.inputs
            if call.old_inputs.get(an_input.name) is None and news.get(an_input.name) is not None
        }
        return {**call.old_inputs, **shown}

    def _changed(self, on_change: OnChange, before: Properties, after: Properties) -> list[str]:
        """The inputs whose change does this; one that is not known yet may be one."""
        return [
            an_input.name
            for an_input in self.inputs
            if an_input.on_change is on_change
            and (
                engine.is_unknown(after.get(an_input.name))
                or an_input.changed(before.get(an_input.name), after.get(an_input.name))
            )
        ]

    def _sends_otherwise(self, before: Properties, after: Properties) -> bool:
        """Whether a create would not send the same: the engine may replace for any change."""
        return any(
            an_input.sent
            and (
                engine.is_unknown(after.get(an_input.name))
                or an_input.differs(before.get(an_input.name), after.get(an_input.name))
            )
            for an_input in self.inputs
        )

    def _stands_in_the_way(self, before: Properties, after: Properties, call: Call) -> bool:
        """Whether a new resource could not be made while the old one is there."""
        if self.unique is None:
            return False
        same = after.get(self.unique.name) == before.get(self.unique.name)
        # For a replacement the engine has a name that is not given made up anew.
        return same and not self._is_made_up(self.unique, after, call)

    def _is_made_up(self, unique: AutoName, inputs: Properties, call: Call) -> bool:
        seen = _run.of(call)
        if seen.declared:
            return not seen.named
        return unique.is_made_up(str(inputs.get(unique.name)), call)

    def _look_up(
        self,
        api: Api,
        id: str,
        inputs: Properties,
        look: Callable[[Api, str, Properties], Properties | None] | None = None,
    ) -> Properties | None:
        """What a look says; an answer that it does not understand is no bug of ours."""
        try:
            return (look or self.look_up)(api, id, inputs)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Error(
                f"what the vendor shows of {id} is not as its pages say "
                f"({type(error).__name__}). Look at it in the console"
            ) from None

    def _await(self, api: Api, id: str, inputs: Properties) -> Properties | None:
        """What ``look_up_while_waiting`` says of a resource that may take a few seconds to show."""
        for _ in range(_TRIES_TO_SHOW):
            now = self._look_up(api, id, inputs, self.look_up_while_waiting)
            if now is not None or api.deadline.left < 0:
                return now
            api.sleep(1)
        return None

    def _once_only(self, props: Mapping[str, Any]) -> Properties:
        return {name: props[name] for name in self.secrets if props.get(name)}

    def _drift(self, before: Properties, now: Properties) -> Properties:
        """The inputs that were changed in the cloud, as they are there.

        What the vendor can change in place may be gone. Anything else that is not shown, or was not
        before, says nothing.
        """
        drift = {}
        for an_input in self.inputs:
            if not an_input.shown or an_input.name not in now:
                continue
            was, is_now = before.get(an_input.name), now[an_input.name]
            in_place = an_input.on_change is OnChange.UPDATE
            if (in_place or None not in (was, is_now)) and an_input.differs(was, is_now):
                drift[an_input.name] = is_now
        return drift

    def _region(self, olds: Mapping[str, Any], how_to_give: str = _SET_REGION) -> str:
        """The region that a resource keeps, else the default one.

        Args:
            olds: what is known of the resource.
            how_to_give: what the program can do where there is none.

        Raises:
            Misconfigured: there is none.
        """
        setting = self.cloud.region
        region = olds.get(REGION.name) or self.settings.get(setting)
        if not region:
            raise Misconfigured(
                f"{REGION.name}: is not set. {setting.how_to_set}, or {how_to_give}"
            )
        return str(region)

    def _connect(self, inputs: Properties, call: Call, how_to_give: str = _SET_REGION) -> Api:
        region = ""
        if self._is_regional:
            region = inputs[REGION.name] = self._region(inputs, how_to_give)
        return self.connect(region, call, Deadline(call.timeout or self.seconds))

    def _adopt(self, api: Api, id: str, inputs: Properties, call: Call) -> Properties:
        """Take over an existing resource, which must be as the program says it is."""
        now = self._look_up(api, id, inputs)
        if now is None:
            todo = f"Check adopt_id{self._and_region}, or take adopt_id out to make a new one"
            raise self._nothing_there(id, inputs, todo)
        if unfit := self.unfit(now, inputs):
            raise Error(f"{id}, which adopt_id names, {unfit}")
        given = {name: inputs[name] for name in now if name in inputs}
        if self.unique and self._is_made_up(self.unique, inputs, call):
            given.pop(self.unique.name, None)
        different = self._changed(OnChange.REPLACE, now, {**now, **given})
        if different:
            raise Error(
                f"{id}, which adopt_id names, has another {' and '.join(different)} than the "
                "program gives. Give what it has, or leave it out"
            )
        if self.secrets:
            call.warn(self._secret_is_lost(id))
        # What the vendor leaves out of its answer may be otherwise, too.
        names = self._changed(OnChange.UPDATE, now, {**now, **inputs})
        if names:
            self.change(api, id, now, inputs, names)
        if names or self.overdue(inputs, now):
            now = self.finish(api, id, inputs, {})
        return self._outputs(id, inputs, now, {})

    def _undone(self, api: Api, id: str, inputs: Properties) -> str:
        """Remove what was made just now and nobody can hold; what became of it, in a sentence."""
        try:
            self.remove(api, id, inputs)
        except Error as error:
            return f"It could not be deleted again ({error}). Delete it in the console."
        return "It is deleted again."

    def _nothing_there(self, id: str, inputs: Properties, todo: str) -> Gone:
        where = f" in {inputs[REGION.name]}" if self._is_regional else ""
        return Gone(f"there is no {self.kind} {id}{where}. {todo}")

    def _secret_is_lost(self, id: str) -> str:
        return (
            f"{' and '.join(self.secrets)} of {self.kind} {id} is absent: the vendor showed it "
            "once, when it was made."
        )

    def _finish(self, api: Api, made: Made, inputs: Properties, before: Properties) -> Properties:
        """All outputs of a resource that was made, whatever happens from here on."""
        try:
            now = self.finish(api, made.id, inputs, before)
        except Exception as error:  # noqa: BLE001 - not even a bug of ours may lose it
            # What was not seen this time is as it was seen last.
            seen = {
                name: before[name] for name in (*self._own_outputs, *self._names) if name in before
            }
            seen |= getattr(error, "now", {})
            gone = isinstance(error, Gone) and before
            otherwise = (
                ", or, if it was deleted, `pulumi up --refresh` to make another" if gone else ""
            )
            why = ended(str(engine.as_error(error)))
            # Some say already what the next run does.
            again = (
                "" if "`pulumi up`" in why else f" Run `pulumi up` again to finish it{otherwise}."
            )
            raise InitFailed(
                f"{made.id} is made and kept, but not finished: {why}{again}",
                made.id,
                self._outputs(made.id, inputs, seen, made.secrets),
            ) from None
        return self._outputs(made.id, inputs, now, made.secrets)

    def _outputs(
        self, id: str, inputs: Properties, now: Properties, secrets: Properties
    ) -> Properties:
        """A resource's state: the cloud's word before the program's, once-only secrets wrapped."""
        sent = {
            an_input.name: inputs[an_input.name]
            for an_input in self.inputs
            if an_input.name in inputs and an_input.on_change is not OnChange.NOTHING
        }
        kept = {
            an_input.name
            for an_input in self.inputs
            if not an_input.shown and an_input.name in sent
        }
        emptied = {
            an_input.name
            for an_input in self.inputs
            if an_input.on_change is OnChange.UPDATE and now.get(an_input.name, "") is None
        }
        shown = {name: now[name] for name in now if now[name] is not None and name not in kept}
        wrapped = {name: engine.secret(value) for name, value in secrets.items()}
        known = {self.id_output: id, **sent, **shown, **wrapped}
        return {
            name: value
            for name, value in known.items()
            if value is not None and name not in emptied
        }


class LifecycleResource(Resource):
    """A resource in a program.

    Attributes:
        pulumi_type: its type token, the same for ever.

    Args:
        resource_name: its name in the program.
        inputs: what the program gives.
        opts: the engine's options.
    """

    pulumi_type: ClassVar[str]
    _lifecycle: ClassVar[type[Lifecycle]]

    def __init_subclass__(cls, *, module: str, name: str, lifecycle: type[Lifecycle]) -> None:
        super().__init_subclass__(module=module, name=name)
        cls.pulumi_type = f"pulumi-python:{cls._resource_type_name}"
        cls._lifecycle = lifecycle
        # Pulumi evaluates them anew for each resource, and needs them only of whole numbers, which
        # the engine makes floats: the others would take a sixth of a program's time.
        hints = inspect.get_annotations(cls, eval_str=True)
        cls.__annotations__ = {name: hints[name] for name in hints if _is_whole(hints[name])}
        for secret in lifecycle.secrets:
            setattr(cls, secret, _Secret(secret))

    def __init__(
        self,
        resource_name: str,
        inputs: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        provider = self._lifecycle()
        # Every output must be named here, or it would be no attribute in the program. To name what
        # is neither one nor given would only take time.
        never_outputs = {
            an_input.name
            for an_input in provider.inputs
            if an_input.on_change is OnChange.NOTHING and inputs.get(an_input.name) is None
        }
        props: Properties = dict.fromkeys(
            (provider.id_output, *provider.outputs, *provider.secrets)
        )
        props |= {name: inputs[name] for name in inputs if name not in never_outputs}
        options = pulumi.ResourceOptions(additional_secret_outputs=list(provider.secrets))
        merged = pulumi.ResourceOptions.merge(options, opts)
        super().__init__(provider, resource_name, props, merged)


def _is_whole(hint: Any) -> bool:
    """Whether an output's type is a whole number, or that or None."""
    return any(value is int or int in get_args(value) for value in get_args(hint))


class _Secret:
    """An output that is secret, marked so where a program asks for it.

    In a preview the engine does not yet say that an unknown output will be one.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, resource: LifecycleResource | None, kind: Any = None) -> Any:
        return self if resource is None else pulumi.Output.secret(vars(resource)[self._name])

    def __set__(self, resource: LifecycleResource, value: Any) -> None:
        vars(resource)[self._name] = value


class _RegisterCommand:
    def __init__(self, write: Callable[[str, str, str], str], id: str, code: str) -> None:
        self._write, self._parts = write, (REGION.name, id, code)

    def __get__(self, resource: LifecycleResource | None, kind: Any = None) -> Any:
        if resource is None:
            return self

        def written(known: Sequence[Any]) -> str | None:
            region, id, code = known
            return None if code is None else self._write(region, id, code)

        parts = [getattr(resource, name) for name in self._parts]
        return pulumi.Output.secret(pulumi.Output.all(*parts).apply(written))


def register_command(
    write: Callable[[str, str, str], str], *, id: str, code: str
) -> pulumi.Output[str | None]:
    """A register command, an Output that is made where a program asks for it.

    Most programs ask for one of two or for none, and in state it would be one more copy of the
    code.

    Args:
        write: makes it of region, id and code.
        id: the output that is the id.
        code: the output that is the code; where there is none, there is no command.
    """
    return cast(pulumi.Output[str | None], _RegisterCommand(write, id, code))
