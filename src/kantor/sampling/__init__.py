"""From a model to music: filters on what it proposes, and the stream of what was decided."""
