"""
The lab's stand-in for Pulumi's engine.

It runs the checkout's `__main__.py` for the lab's stacks where `pulumi` is not available. It is no full engine: it does
not plan replacements on clusters, plans nothing in parallel and runs no policy packs. It refuses unsupported features
by name.
"""
