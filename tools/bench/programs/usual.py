"""So many register codes as most people write them: class in the program, SDK as it comes."""

import os

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, ResourceProvider


def new_client():
    from tencentcloud.common import credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.tat.v20201028 import tat_client

    scheme, _, host = os.environ["TENCENTCLOUD_ENDPOINT"].partition("://")
    key = credential.Credential(
        os.environ["TENCENTCLOUD_SECRET_ID"], os.environ["TENCENTCLOUD_SECRET_KEY"]
    )
    profile = ClientProfile(httpProfile=HttpProfile(protocol=scheme, endpoint=host))
    return tat_client.TatClient(key, os.environ["TENCENTCLOUD_REGION"], profile)


class CodeProvider(ResourceProvider):
    def create(self, props):
        from tencentcloud.tat.v20201028 import models

        answer = new_client().CreateRegisterCode(models.CreateRegisterCodeRequest())
        outputs = {**props, "register_code_value": answer.RegisterCodeValue}
        return CreateResult(answer.RegisterCodeId, outputs)

    def read(self, id_, props):
        from tencentcloud.tat.v20201028 import models

        request = models.DescribeRegisterCodesRequest()
        request.RegisterCodeIds = [id_]
        new_client().DescribeRegisterCodes(request)
        return ReadResult(id_, props)

    def delete(self, id_, props):
        from tencentcloud.tat.v20201028 import models

        request = models.DeleteRegisterCodesRequest()
        request.RegisterCodeIds = [id_]
        new_client().DeleteRegisterCodes(request)


class Code(Resource):
    def __init__(self, name):
        options = pulumi.ResourceOptions(additional_secret_outputs=["register_code_value"])
        super().__init__(CodeProvider(), name, {"register_code_value": None}, options)


for number in range(int(os.environ["BENCH_SIZE"])):
    Code(f"code-{number}")
