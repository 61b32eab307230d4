"""Proves by real traffic that the mesh works, or names the cause why it does not."""
