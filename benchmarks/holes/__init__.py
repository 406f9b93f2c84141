"""Combine predictions with holes: models that are silent, at random or when wrong."""
