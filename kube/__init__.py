"""Connections to Kubernetes clusters, for `ops` and `lab`: how a client is built, and why a connection failed."""
