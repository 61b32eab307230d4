"""
A server for tests that speaks the part of Rancher's API that this project uses; it is not Rancher.

It makes no clusters, runs no agents, serves no user interface, and nothing should be trusted to it that matters: its
clusters are those of the lab, and its users those of a test. What is spoken and what is not: docs/rancher-lab.md.
"""

WHAT_IT_IS = (
    "This is the lab's stand-in for a Rancher server, for tests: it speaks a part of Rancher's v3 API and proxies to "
    "the lab's API servers. It is not Rancher, and not for clusters that matter."
)
"""The first line of the server's log."""
