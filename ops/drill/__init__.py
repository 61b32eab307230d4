"""The failover drill: a cluster, or a part of it, is taken away under traffic and given back."""
