"""What may vary: layouts, precisions and sizes of branches, and which modalities are combined."""

from tinysearch.space.space import Space, SpaceOptions

__all__ = ["Space", "SpaceOptions"]
