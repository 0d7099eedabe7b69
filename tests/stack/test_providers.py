"""Many accounts, regions and keys on a real engine: each request is whose it should be."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_hybrid.emulator import Account, Emulator
from tests.stack.conftest import Stack, wait_for

# Key ids. The first three belong to an account each, the fourth to the first one's, too.
MINE, THEIRS, LASTING, MINE_ANEW = "AKIDmine", "AKIDtheirs", "AKIDlasting", "AKIDmineanew"

IMPORTS = """
    import json
    from pulumi_hybrid import (
        AlicloudAssumeRole,
        AlicloudAssumeRoleWithOidc,
        AlicloudConfig,
        Provider,
        TencentcloudAssumeRole,
        TencentcloudAssumeRoleWithWebIdentity,
        TencentcloudConfig,
    )
"""

PROGRAM = (
    IMPORTS
    + """
    given = json.loads(os.environ["GIVEN"])
    opts = pulumi.ResourceOptions()
    if given:
        opts.provider = Provider(
            "explicit",
            tencentcloud=TencentcloudConfig(**given["tencentcloud"]),
            alicloud=AlicloudConfig(**given["alicloud"]),
        )
    tat.RegisterCode("code", opts)
    ecs.Activation("activation", opts)
    """
)


FIELDS: dict[str, dict[str, tuple[str, str, str]]] = {
    "id": {
        "tencentcloud": ("secret_id", "tencentcloud:secretId", "TENCENTCLOUD_SECRET_ID"),
        "alicloud": ("access_key", "alicloud:accessKey", "ALICLOUD_ACCESS_KEY"),
    },
    "secret": {
        "tencentcloud": ("secret_key", "tencentcloud:secretKey", "TENCENTCLOUD_SECRET_KEY"),
        "alicloud": ("secret_key", "alicloud:secretKey", "ALICLOUD_SECRET_KEY"),
    },
    "token": {
        "tencentcloud": (
            "security_token",
            "tencentcloud:securityToken",
            "TENCENTCLOUD_SECURITY_TOKEN",
        ),
        "alicloud": ("security_token", "alicloud:securityToken", "ALICLOUD_SECURITY_TOKEN"),
    },
    "region": {
        "tencentcloud": ("region", "tencentcloud:region", "TENCENTCLOUD_REGION"),
        "alicloud": ("region", "alicloud:region", "ALICLOUD_REGION"),
    },
    "endpoint": {
        "tencentcloud": ("endpoint", "tencentcloud:endpoint", "TENCENTCLOUD_ENDPOINT"),
        "alicloud": ("endpoint", "alicloud:endpoint", "ALICLOUD_ENDPOINT"),
    },
}
"""By field and vendor: the Provider's argument, the configuration key, the variable."""


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    accounts = {
        MINE: Account(secrets.token_hex(), secrets.token_hex(), name="mine"),
        THEIRS: Account(secrets.token_hex(), secrets.token_hex()),
        LASTING: Account(secrets.token_hex()),
        MINE_ANEW: Account(secrets.token_hex(), secrets.token_hex(), name="mine"),
    }
    with Emulator(accounts=accounts) as emulator:
        yield emulator


def hand(stack: Stack, name: str, value: Any) -> None:
    """Let the program read it: as a variable, so that no key is in the program."""
    stack.environment[name] = json.dumps(value)


def pair(stack: Stack, id: str) -> dict[str, str]:
    """A key pair by the names of the fields that both vendors' configurations share."""
    account = stack.cloud.accounts[id]
    token = {"security_token": account.token} if account.token else {}
    return {"secret_key": account.secret_key, **token}


def settings(stack: Stack, id: str) -> dict[str, dict[str, str]]:
    """What a Provider with this key pair is given for each vendor."""
    return {
        "tencentcloud": {"secret_id": id, **pair(stack, id)},
        "alicloud": {"access_key": id, **pair(stack, id)},
    }


def configuration(stack: Stack, id: str) -> dict[str, str]:
    """The stack's configuration with this key pair."""
    keys = {
        (vendor, argument): key
        for places in FIELDS.values()
        for vendor, (argument, key, _) in places.items()
    }
    return {
        keys[vendor, argument]: value
        for vendor, given in settings(stack, id).items()
        for argument, value in given.items()
    }


def unset_keys(stack: Stack) -> None:
    """Take the key out of the environment."""
    for field in ("id", "secret", "token"):
        for _, _, variable in FIELDS[field].values():
            stack.environment.pop(variable, None)


def asked(stack: Stack, *command: str) -> set[tuple[str, str]]:
    """Run a command; whose requests arrived from it, and where they were for."""
    begin = len(stack.cloud.requests())
    stack.pulumi(*command, "--yes", "--skip-preview")
    return {(request["account"], request["region"]) for request in stack.cloud.requests()[begin:]}


def held(stack: Stack) -> dict[str, tuple[str, str]]:
    """The account and the region of each resource in state, as the emulator holds them."""
    places = {}
    for account, regions in stack.cloud.resources().items():
        for region, content in regions.items():
            text = json.dumps(content)
            for name, resource in stack.export().items():
                if resource["type"].startswith("pulumi-python:") and resource["id"] in text:
                    places[name] = (account, region)
    return places


def test_two_accounts_and_six_regions_in_one_stack(stack: Stack) -> None:
    stack.program(
        IMPORTS
        + """
    given = json.loads(os.environ["THEIRS"])
    theirs = Provider(
        "theirs",
        tencentcloud=TencentcloudConfig(**given["tencentcloud"]),
        alicloud=AlicloudConfig(**given["alicloud"]),
    )

    class Site(pulumi.ComponentResource):
        def __init__(self, name, opts=None):
            super().__init__("fleet:index:Site", name, {}, opts)
            codes(name + "-part", pulumi.ResourceOptions(parent=self))

    def codes(name, opts=None, regions=(None, None)):
        tat.RegisterCode(name + "-code", opts, region=regions[0])
        tags = {"version": os.environ["VERSION"]}
        ecs.Activation(name, opts, region=regions[1], tags=tags)

    elsewhere = ("ap-tokyo", "cn-shanghai")
    codes("mine")
    codes("mine-elsewhere", regions=elsewhere)
    codes("theirs", pulumi.ResourceOptions(provider=theirs))
    codes("theirs-elsewhere", pulumi.ResourceOptions(provider=theirs), elsewhere)
    Site("site", pulumi.ResourceOptions(providers=[theirs]))
    """
    )
    given = settings(stack, THEIRS)
    given["tencentcloud"]["region"], given["alicloud"]["region"] = "ap-singapore", "cn-beijing"
    hand(stack, "THEIRS", given)
    stack.environment["VERSION"] = "1"

    for_codes = {(MINE, "ap-guangzhou"), (THEIRS, "ap-singapore")}
    for_codes |= {(MINE, "ap-tokyo"), (THEIRS, "ap-tokyo")}
    for_activations = {(MINE, "cn-hangzhou"), (THEIRS, "cn-beijing")}
    for_activations |= {(MINE, "cn-shanghai"), (THEIRS, "cn-shanghai")}

    assert asked(stack, "up") == for_codes | for_activations
    places = held(stack)
    assert places == {
        "mine-code": ("mine", "ap-guangzhou"),
        "mine": ("mine", "cn-hangzhou"),
        "mine-elsewhere-code": ("mine", "ap-tokyo"),
        "mine-elsewhere": ("mine", "cn-shanghai"),
        "theirs-code": (THEIRS, "ap-singapore"),
        "theirs": (THEIRS, "cn-beijing"),
        "theirs-elsewhere-code": (THEIRS, "ap-tokyo"),
        "theirs-elsewhere": (THEIRS, "cn-shanghai"),
        "site-part-code": (THEIRS, "ap-singapore"),
        "site-part": (THEIRS, "cn-beijing"),
    }
    assert asked(stack, "refresh", "--expect-no-changes") == for_codes | for_activations

    # Another default region, of the stack and of the provider, moves nothing.
    stack.environment |= {"TENCENTCLOUD_REGION": "eu-frankfurt", "ALICLOUD_REGION": "eu-central-1"}
    given["tencentcloud"]["region"], given["alicloud"]["region"] = "ap-seoul", "us-east-1"
    hand(stack, "THEIRS", given)
    stack.environment["VERSION"] = "2"
    assert asked(stack, "up") == for_activations
    assert held(stack) == places
    assert asked(stack, "refresh", "--expect-no-changes") == for_codes | for_activations
    assert asked(stack, "destroy") == for_codes | for_activations
    assert held(stack) == {}
    assert {request["status"] for request in stack.cloud.requests()} == {200}


# --- which of several places a field comes from -------------------------------------------------

JUNK = {
    "id": "AKIDnobody",
    "secret": "no-secret-key",
    "token": "no-token",
    "region": "nowhere",
    "endpoint": "http://127.0.0.1:9",
}
RIGHT_REGIONS = {"tencentcloud": "ap-singapore", "alicloud": "cn-beijing"}


@pytest.mark.whole
@pytest.mark.parametrize(
    ("id", "table"),
    [
        pytest.param(MINE, dict.fromkeys(FIELDS, "-+x"), id="configuration-over-environment"),
        pytest.param(MINE, dict.fromkeys(FIELDS, "+x-"), id="provider-over-configuration"),
        pytest.param(MINE, dict.fromkeys(FIELDS, "+-x"), id="provider-over-environment"),
        pytest.param(
            MINE,
            {"id": "+--", "secret": "-+x", "token": "--+", "region": "-+x", "endpoint": "--+"},
            id="each-from-elsewhere",
        ),
        pytest.param(
            LASTING,
            {"id": "+xx", "secret": "+xx", "token": "-xx", "region": "+xx", "endpoint": "+xx"},
            id="no-token-of-another-key",
        ),
    ],
)
def test_each_field_comes_from_the_first_place_that_has_it(
    stack: Stack, id: str, table: dict[str, str]
) -> None:
    """The table says what stands in Provider, configuration and environment.

    ``+`` is the right value, ``x`` a wrong one, ``-`` none.
    """
    account = stack.cloud.accounts[id]
    provider: dict[str, dict[str, str]] = {}
    configuration, environment = {}, {}
    for field, marks in table.items():
        for vendor, (argument, key, variable) in FIELDS[field].items():
            right = {
                "id": id,
                "secret": account.secret_key,
                "token": account.token,
                "region": RIGHT_REGIONS[vendor],
                "endpoint": stack.cloud.url,
            }
            values = {"+": right[field], "x": JUNK[field], "-": None}
            in_provider, in_configuration, in_environment = (values[mark] for mark in marks)
            stack.environment.pop(variable, None)
            if in_provider:
                provider.setdefault(vendor, {})[argument] = in_provider
            if in_configuration:
                configuration[key] = in_configuration
            if in_environment:
                environment[variable] = in_environment
    stack.environment |= environment
    stack.configure(configuration)
    hand(stack, "GIVEN", provider)
    stack.program(
        PROGRAM
        + """
    tat.RegisterCode("code-elsewhere", opts, region="ap-tokyo")
    ecs.Activation("activation-elsewhere", opts, region="cn-shanghai")
    """
    )
    regions = ("ap-singapore", "ap-tokyo", "cn-beijing", "cn-shanghai")
    expected = {(id, region) for region in regions}
    assert asked(stack, "up") == expected
    assert asked(stack, "refresh", "--expect-no-changes") == expected
    assert asked(stack, "destroy") == expected


# --- keys that change -----------------------------------------------------------------------------


def give_explicitly(stack: Stack, id: str) -> None:
    hand(stack, "GIVEN", settings(stack, id))


def give_by_configuration(stack: Stack, id: str) -> None:
    hand(stack, "GIVEN", {})
    unset_keys(stack)
    stack.configure(configuration(stack, id))


@pytest.mark.parametrize("give", [give_explicitly, give_by_configuration])
def test_a_rotated_key_updates_the_provider_and_no_resource(
    stack: Stack, give: Callable[[Stack, str], None]
) -> None:
    def by(id: str) -> set[tuple[str, str]]:
        return {(id, "ap-guangzhou"), (id, "cn-hangzhou")}

    def kept() -> dict[str, str]:
        state = stack.export()
        return {name: state[name]["id"] for name in held(stack)}

    stack.program(PROGRAM)
    give(stack, MINE)
    assert asked(stack, "up") == by(MINE)
    before = kept()
    assert set(before) == {"code", "activation"}

    # Without the program, the engine knows only the keys of the last `pulumi up`.
    give(stack, MINE_ANEW)
    assert asked(stack, "refresh", "--expect-no-changes") == by(MINE)
    assert asked(stack, "up") == set()
    assert kept() == before
    assert asked(stack, "refresh", "--expect-no-changes") == by(MINE_ANEW)

    # Those have ended, and new ones are there already.
    stack.cloud.expire(MINE_ANEW)
    give(stack, MINE)
    told = stack.destroy("--continue-on-error", fails=True).diagnostics
    for kind in ("RegisterCode", "Activation"):
        (error,) = [line for line in told if line.startswith(f"error: cannot delete {kind}")]
        assert "token is wrong or has expired. Get new temporary keys and set all three" in error
    assert asked(stack, "destroy", "--run-program") == by(MINE)
    assert held(stack) == {}


@pytest.mark.whole
def test_what_is_not_known_in_a_preview_is_no_error(stack: Stack) -> None:
    stack.program(
        IMPORTS
        + """
    first = tat.RegisterCode("first", description=os.environ["VERSION"])
    later = first.register_code_id.apply
    unknown = Provider(
        "unknown",
        tencentcloud=TencentcloudConfig(
            secret_id=os.environ["THEIR_ID"],
            secret_key=later(lambda _: os.environ["THEIR_KEY"]),
            security_token=later(lambda _: os.environ["THEIR_TOKEN"]),
            region=later(lambda _: "ap-tokyo"),
        ),
        alicloud=AlicloudConfig(
            access_key=os.environ["THEIR_ID"],
            secret_key=later(lambda _: os.environ["THEIR_KEY"]),
            security_token=later(lambda _: os.environ["THEIR_TOKEN"]),
            region=later(lambda _: "cn-shanghai"),
        ),
    )
    opts = pulumi.ResourceOptions(provider=unknown)
    tat.RegisterCode("code", opts)
    ecs.Activation("activation", opts)
    """
    )
    theirs = stack.cloud.accounts[THEIRS]
    assert theirs.token
    stack.environment |= {
        "THEIR_ID": THEIRS,
        "THEIR_KEY": theirs.secret_key,
        "THEIR_TOKEN": theirs.token,
    }
    stack.environment["VERSION"] = "1"
    stack.preview()
    assert stack.cloud.requests() == []
    stack.up()
    places = {
        "first": ("mine", "ap-guangzhou"),
        "code": (THEIRS, "ap-tokyo"),
        "activation": (THEIRS, "cn-shanghai"),
    }
    assert held(stack) == places
    before = stack.export()

    # In another preview as well, now that the resources are there.
    stack.environment["VERSION"] = "2"
    stack.preview()
    stack.up()
    assert held(stack) == places
    after = stack.export()
    replaced = {name for name in places if before[name]["id"] != after[name]["id"]}
    assert replaced == {"first"}
    inputs = stack.export()["unknown"]["inputs"]
    for vendor in ("tencentcloud", "alicloud"):
        for field in ("secretKey", "securityToken"):
            assert "ciphertext" in inputs[f"{vendor}:{field}"]


# --- roles ----------------------------------------------------------------------------------------

ROLES = {
    "tencentcloud": "qcs::cam::uin/100000000001:roleName/deploy",
    "alicloud": "acs:ram::1000000000000001:role/deploy",
}


def test_a_roles_key_that_ends_while_something_is_made_is_renewed(stack: Stack) -> None:
    for arn in ROLES.values():
        stack.cloud.role(arn, account=THEIRS, external_id="an-external-id", trusts=[MINE])
    stack.cloud.settings(tcr_pending_seconds=0, tcr_deploying_seconds=1200)
    hand(stack, "ROLES", ROLES)
    stack.program(
        IMPORTS
        + """
    roles = json.loads(os.environ["ROLES"])
    deploy = Provider(
        "deploy",
        tencentcloud=TencentcloudConfig(
            assume_role=TencentcloudAssumeRole(
                roles["tencentcloud"], session_duration=300, external_id="an-external-id"
            )
        ),
        alicloud=AlicloudConfig(
            assume_role=AlicloudAssumeRole(
                roles["alicloud"], session_expiration=900, external_id="an-external-id"
            )
        ),
    )
    opts = pulumi.ResourceOptions(provider=deploy)
    first = ecs.Activation("first", opts)
    registry = tcr.Instance(
        "registry",
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[first])),
        registry_name="tcr-test",
        registry_type="basic",
    )
    afterwards = pulumi.ResourceOptions(depends_on=[registry])
    ecs.Activation("last", pulumi.ResourceOptions.merge(opts, afterwards))
    """
    )

    def lent(vendor: str) -> int:
        requests = stack.cloud.requests("AssumeRole")
        return len([request for request in requests if request["vendor"] == vendor])

    process = stack.start("up", "--yes", "--skip-preview")
    wait_for(lambda: len(stack.cloud.requests("DescribeInstances")) > 2)
    # Both keys have ended, the registry is not ready yet.
    stack.cloud.clock(advance_seconds=1000)
    wait_for(lambda: lent("tencentcloud") == 2)
    stack.cloud.clock(advance_seconds=250)
    outcome = stack.finish(process)
    assert outcome.code == 0, outcome.text
    assert lent("alibabacloud") == 2
    region = {"registry": "ap-guangzhou", "first": "cn-hangzhou", "last": "cn-hangzhou"}
    assert held(stack) == {name: (THEIRS, place) for name, place in region.items()}
    refusals = {request["error_code"] for request in stack.cloud.requests()} - {None}
    assert refusals <= {"AuthFailure.TokenFailure", "InvalidSecurityToken.Expired"}
    assert len(stack.calls("CreateInstance")) == 1
    stack.destroy()
    assert held(stack) == {}


@pytest.mark.whole
def test_a_role_may_stand_in_the_stacks_configuration(stack: Stack) -> None:
    for vendor, arn in ROLES.items():
        stack.cloud.role(arn, account=THEIRS, trusts=[MINE])
        seconds = {"tencentcloud": "sessionDuration", "alicloud": "sessionExpiration"}[vendor]
        for key, value in (("roleArn", arn), (seconds, "900")):
            stack.pulumi("config", "set", "--path", f"{vendor}:assumeRole.{key}", value)
    stack.program(
        IMPORTS
        + """
    elsewhere = Provider(
        "elsewhere",
        tencentcloud=TencentcloudConfig(region="ap-tokyo"),
        alicloud=AlicloudConfig(region="cn-shanghai"),
    )
    for name, provider in (("default", None), ("explicit", elsewhere)):
        opts = pulumi.ResourceOptions(provider=provider)
        tat.RegisterCode(name + "-code", opts)
        ecs.Activation(name + "-activation", opts)
    """
    )
    stack.up()
    assert held(stack) == {
        "default-code": (THEIRS, "ap-guangzhou"),
        "default-activation": (THEIRS, "cn-hangzhou"),
        "explicit-code": (THEIRS, "ap-tokyo"),
        "explicit-activation": (THEIRS, "cn-shanghai"),
    }
    assert {str(body["DurationSeconds"]) for body in stack.calls("AssumeRole")} == {"900"}
    stack.destroy()
    assert held(stack) == {}


@pytest.mark.whole
def test_a_web_identity_takes_the_place_of_a_key(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    trusted = ["the-identity-provider", "acs:ram::1000000000000001:oidc-provider/trusted"]
    for arn in ROLES.values():
        stack.cloud.role(arn, account=THEIRS, trusts=trusted)
    file = tmp_path_factory.mktemp("elsewhere") / "token"
    file.write_text(secrets.token_hex())
    stack.secrets.add(file.read_text())
    stack.environment["TOKEN_FILE"] = str(file)
    hand(stack, "ROLES", ROLES)
    hand(stack, "TRUSTED", trusted)
    stack.program(
        IMPORTS
        + """
    roles = json.loads(os.environ["ROLES"])
    trusted = json.loads(os.environ["TRUSTED"])

    def codes(name, token, file):
        provider = Provider(
            name,
            tencentcloud=TencentcloudConfig(
                assume_role_with_web_identity=TencentcloudAssumeRoleWithWebIdentity(
                    trusted[0],
                    roles["tencentcloud"],
                    web_identity_token=token,
                    web_identity_token_file=file,
                )
            ),
            alicloud=AlicloudConfig(
                assume_role_with_oidc=AlicloudAssumeRoleWithOidc(
                    trusted[1], roles["alicloud"], oidc_token=token, oidc_token_file=file
                )
            ),
        )
        opts = pulumi.ResourceOptions(provider=provider)
        tat.RegisterCode(name + "-code", opts)
        ecs.Activation(name + "-activation", opts)

    file = os.environ["TOKEN_FILE"]
    codes("by-token", open(file).read(), None)
    codes("by-file", None, file)
    """
    )
    stack.up()
    assert len(stack.calls("AssumeRoleWithWebIdentity")) == 2
    assert len(stack.calls("AssumeRoleWithOIDC")) == 2
    region = {"code": "ap-guangzhou", "activation": "cn-hangzhou"}
    assert held(stack) == {
        f"{name}-{kind}": (THEIRS, place)
        for name in ("by-token", "by-file")
        for kind, place in region.items()
    }
    # Of the key in the environment, which is another's, nothing is used.
    assert MINE not in {request["account"] for request in stack.cloud.requests()}
    stack.destroy()
    assert held(stack) == {}


@pytest.mark.whole
def test_no_log_of_the_engine_shows_a_key(stack: Stack) -> None:
    """The keys are in the explicit provider and in the configuration; the fixture looks."""
    give_by_configuration(stack, THEIRS)
    give_explicitly(stack, MINE)
    stack.program(PROGRAM + "ecs.Activation('by-configuration')")
    stack.environment["PULUMI_DEBUG_COMMANDS"] = "true"  # else there is no --event-log
    log = str(stack.folder / "events.json")
    logged = ("--logtostderr", "-v=3", "--event-log", log)
    stack.pulumi("preview", "--json")
    stack.up(*logged)
    assert "RegisterCode" in Path(log).read_text()
    stack.pulumi("config", "--json")
    stack.pulumi("stack", "export")
    stack.pulumi("stack", "history", "--json")
    stack.destroy(*logged)


@pytest.mark.whole
def test_two_stacks_of_a_project_at_the_same_time(stack: Stack) -> None:
    stack.pulumi("stack", "init", "second")
    stack.program("for name in 'abc': tat.RegisterCode(name)")
    unset_keys(stack)
    places = {"dev": (MINE, "ap-tokyo"), "second": (THEIRS, "ap-singapore")}
    for name, (id, region) in places.items():
        values = {**configuration(stack, id), "tencentcloud:region": region}
        stack.configure(values, stack=name)
    for command, action in (("up", "CreateRegisterCode"), ("destroy", "DeleteRegisterCodes")):
        runs = [stack.start(command, "--yes", "--skip-preview", "--stack", name) for name in places]
        for run in runs:
            outcome = stack.finish(run)
            assert outcome.code == 0, outcome.text
        requests = stack.cloud.requests(action)
        arrived = Counter((request["account"], request["region"]) for request in requests)
        assert arrived == dict.fromkeys(places.values(), 3)
