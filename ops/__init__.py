"""The commands that the user runs against a live mesh."""
