"""What a person runs against a live mesh."""
