"""
What carries out the resources of each package.

`tls` and `random` make theirs on this machine, `kubernetes` on a cluster, `helm` renders charts.
"""
