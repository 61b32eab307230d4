"""Generates what follows from the code: docs/reference/ and the config section of Pulumi.yaml."""
