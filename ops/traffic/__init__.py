"""Request loops, and how many answers of each version a weight allows."""
