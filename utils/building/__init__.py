"""From source benchmarks and one's own items to a degraded, deduplicated, documented data set."""
