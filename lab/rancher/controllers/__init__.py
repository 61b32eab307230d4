"""What Rancher does inside a cluster because of what its API was told, each controller in a file of its own."""
