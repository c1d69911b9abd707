"""Where the task files that `medqdeg wrap` wrote before 0.2 find their aggregations; newer files bring them along."""

from ..utils.wrapping.summary import compare_levels, summarise_level

__all__ = ["compare_levels", "summarise_level"]
