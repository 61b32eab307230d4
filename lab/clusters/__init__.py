"""Real Kubernetes clusters on one machine: control planes, nodes, add-ons and load balancers."""
