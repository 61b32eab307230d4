"""
The lab's stand-in for Pulumi's engine.

Runs the checkout's `__main__.py` for the lab's stack where no `pulumi` can be had. It is no
engine: no replace planning on clusters, no parallel plan, no policy packs. What it does not know it
refuses by name.
"""
