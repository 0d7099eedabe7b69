"""A provider that does nothing, for resources of the size of a register code: the engine's cost."""

from __future__ import annotations

import uuid
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, ResourceProvider

OUTPUTS: dict[str, Any] = {
    "description": "",
    "instance_name_prefix": "",
    "register_limit": 10,
    "effective_time": 4,
    "ip_address_range": "",
    "region": "ap-guangzhou",
    "register_code_value": "0" * 64,
    "created_time": "2026-01-01T00:00:00Z",
    "expired_time": "2026-01-01T04:00:00Z",
    "enabled": True,
    "registered_count": 0,
}


class NullProvider(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        id = str(uuid.uuid4())
        return CreateResult(id, {**OUTPUTS, **props, "register_code_id": id})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_, props)


class Null(Resource, module="bench", name="Null"):
    def __init__(self, name: str) -> None:
        options = pulumi.ResourceOptions(additional_secret_outputs=["register_code_value"])
        props = {**dict.fromkeys((*OUTPUTS, "register_code_id")), "region": OUTPUTS["region"]}
        super().__init__(NullProvider(), name, props, options)
