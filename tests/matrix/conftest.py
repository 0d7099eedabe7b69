"""The world that the matrix plays in."""

from .world import cloud, new_world

__all__ = ["cloud", "new_world"]
