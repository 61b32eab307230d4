"""Two or more real Kubernetes clusters on one Linux machine, and what tests a mesh on them."""
