"""The failover drill: takes down a cluster or a part of it under traffic, and restores it."""
