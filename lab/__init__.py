"""Two or more real Kubernetes clusters on one Linux machine, and the engines and tools that run a mesh on them."""
