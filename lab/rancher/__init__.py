"""
A server for tests that implements the part of Rancher's API that this project uses; it is not Rancher.

It creates no clusters, runs no agents and has no user interface. It serves the clusters of the lab and the users of
tests: do not use it for anything else. docs/rancher-lab.md lists what it implements.
"""

WHAT_IT_IS = (
    "This is the lab's test server for Rancher: it implements a part of Rancher's v3 API and "
    "proxies to the lab's API servers. It is not Rancher; do not use it for other clusters."
)
"""The first line of the server's log."""
