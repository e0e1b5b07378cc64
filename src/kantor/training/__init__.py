"""Learning: the recipe (free of torch), the loop, what is looked at on the way, and the export."""
