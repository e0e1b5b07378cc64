"""Questions asked of models and data; what came of them stands in LOG.md, by date."""
