"""The host machine: networks, cgroups, mounts, processes, and the lab's files and keys."""
