"""Benchmarks of the project's parts, as ratios to floors that are measured in the same run."""
