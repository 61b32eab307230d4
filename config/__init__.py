"""The stack config: its schema, its reader and its checks. Only `preflight` uses the network."""
