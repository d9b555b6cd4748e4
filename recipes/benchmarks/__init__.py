"""neurosteer beside its peers: `python -m recipes.benchmarks`."""
