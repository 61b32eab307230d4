"""The floor of a Pulumi program: the SDKs, one explicit provider, and as many ConfigMaps as the config says."""

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

count = pulumi.Config().require_int("count")
child = ResourceOptions(provider=k8s.Provider("provider", kubeconfig="{}", cluster_identifier="bench"))
for number in range(count):
    k8s.core.v1.ConfigMap(
        f"bare-{number}", metadata={"name": f"bare-{number}", "namespace": "default"}, data={"key": "value"}, opts=child
    )
