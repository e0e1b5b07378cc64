"""Judging: how likely music is to a model, and whether what a model writes has collapsed."""
