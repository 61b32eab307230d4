"""The mesh as plain data: names, certificates, kubeconfigs, routing, chart values. Imports no Pulumi."""
