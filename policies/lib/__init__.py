"""What the rules share: policies from rules, resources as plain data, and what the kinds of resources say."""
