"""Tag, version 2018-08-13: the tags of resources that have no action of their own for it.

Source: the pages of ModifyResourceTags and of the six-segment resource description. Where a page is
silent, a comment says what is done here.
"""

from __future__ import annotations

import re
from datetime import timedelta

from . import tcr
from .api import Api, Call, Json, Setting, VendorError
from .parameters import Many, Structure, Text

RESOURCE = re.compile(
    r"qcs::(?P<service>[a-z0-9]+):(?P<region>[a-z0-9-]*):uin/(?P<uin>[0-9]*)"
    r":(?P<prefix>[A-Za-z]+)/(?P<id>[A-Za-z0-9._-]+)"
)
# Letters of any script, digits, blanks and these.
ILLEGAL = re.compile(r"[^\w .:/=+@()\[\]\uff08\uff09\u3010\u3011,;-]")
RESERVED = ("qcs:", "qcloud", "tencent", "project")

WRONG = "InvalidParameter.Tag"

api = Api(
    "tag",
    "2018-08-13",
    # How long a resource's own API goes on showing the old tags.
    settings={"tag_lag_seconds": Setting(0)},
)


@api.action(
    "ModifyResourceTags",
    {
        "Resource": Text(required=True),
        "ReplaceTags": Many(
            Structure({"TagKey": Text(required=True), "TagValue": Text(required=True)}),
            most=10,
            too_many=WRONG,
        ),
        "DeleteTags": Many(Structure({"TagKey": Text(required=True)}), most=10, too_many=WRONG),
    },
    region_required=False,
)
def modify_resource_tags(call: Call) -> Json:
    """Keys in neither list keep their values; a key to delete that is not there is no error."""
    replaced, deleted = call.get("ReplaceTags"), call.get("DeleteTags")
    if not (replaced or deleted) or [] in (replaced, deleted):
        raise VendorError(WRONG, "ReplaceTags or DeleteTags must be there, and neither be empty.")
    values = {tag["TagKey"]: tag["TagValue"] for tag in replaced or []}
    without = {tag["TagKey"] for tag in deleted or []}
    if len(values) < len(replaced or []):
        raise VendorError(WRONG, "The keys of ReplaceTags must differ.")
    for key, value in values.items():
        _check_tag(key, value)
    if without & set(values):
        raise VendorError(
            "InvalidParameterValue.DeleteTagsParamError",
            "DeleteTags cannot contain the elements in ReplaceTags.",
        )
    resource = RESOURCE.fullmatch(call["Resource"])
    if resource is None:
        raise VendorError(
            "InvalidParameterValue.ResourceDescriptionError", "Resource description error."
        )
    if (resource["service"], resource["prefix"]) != ("tcr", "instance"):
        raise VendorError(
            "InvalidParameter.UnsupportedService", "This service does not support tag operations."
        )
    # The real service may not ask whether the resource is there; a client has no use for that.
    tags = tcr.tags_of(call, resource["region"], resource["id"])
    if tags is None:
        raise VendorError("FailedOperation", "The resource does not exist.")
    new = {tag["Key"]: tag["Value"] for tag in tags if tag["Key"] not in without} | values
    if len(new) > tcr.TAGS:
        raise VendorError(
            "LimitExceeded.ResourceAttachedTags",
            "The number of tags associated with the resource exceeds the limit.",
        )
    seen_from = call.now + timedelta(seconds=call.settings["tag_lag_seconds"])
    tags = [{"Key": key, "Value": value} for key, value in new.items()]
    tcr.set_tags(call, resource["region"], resource["id"], tags, seen_from)
    return {}


def _check_tag(key: str, value: str) -> None:
    if not key:
        raise VendorError("InvalidParameterValue.TagKeyEmpty", "Tag key cannot be empty.")
    if key.startswith(RESERVED[0]) or key in RESERVED[1:]:
        raise VendorError("InvalidParameter.ReservedTagKey", f"The tag key `{key}` is reserved.")
    for what, text, longest in (
        ("Key", key, tcr.TAG_KEY_LENGTH),
        ("Value", value, tcr.TAG_VALUE_LENGTH),
    ):
        if len(text) > longest:
            raise VendorError(
                f"InvalidParameterValue.Tag{what}LengthExceeded",
                f"Tag {what.lower()} length exceeds limit.",
            )
        if ILLEGAL.search(text):
            raise VendorError(
                f"InvalidParameterValue.Tag{what}CharacterIllegal",
                f"Tag {what.lower()} contains illegal characters.",
            )
