"""Pulumi's command line, and the pending operations that an interrupted update leaves."""
