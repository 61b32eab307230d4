"""Real Kubernetes clusters on one machine: control planes, nodes, addons and load balancers."""
