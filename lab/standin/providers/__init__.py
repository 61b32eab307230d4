"""
The providers of the packages that the program uses.

`tls` and `random` generate resources on this machine, `kubernetes` and `rancher2` call an API, `helm` renders charts.
"""
