"""Receives what a Pulumi program registers. The tests and the stand-in engine stand on it."""
