"""This machine: networks, cgroups, mounts, processes, and the files and keys that the lab keeps on it."""
