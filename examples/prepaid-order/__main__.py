"""A prepaid Cloud Firewall for a month. Each new order spends money at once."""

import pulumi

from pulumi_hybrid.tencentcloud import billing

config = pulumi.Config()

firewall = billing.Instance(
    "firewall",
    product_code="p_cloudfirewall",
    sub_product_code="sp_cloudfirewall_svv1",
    region_code="ap-guangzhou",
    zone_code=config.get("zone") or "ap-guangzhou-6",
    # The product's details, as its price page or the vendor's support gives them.
    parameter={
        "productCode": "p_cloudfirewall",
        "subProductCode": "sp_cloudfirewall_svv1",
        "timeSpan": 1,
        "timeUnit": "m",
    },
    period=1,
    renew_flag="NOTIFY_AND_MANUAL_RENEW",
    # A destroy gives it back; what was really paid for the rest of the term is returned.
    on_delete="refund",
)

pulumi.export("order_id", firewall.order_id)
pulumi.export("instances", firewall.instance_id_list)
pulumi.export("paid_until", firewall.expired_time)
