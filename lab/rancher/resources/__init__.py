"""The resource types of the server, one file for each type with special rules."""
