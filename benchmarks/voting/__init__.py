"""Combining models: StackingNet against the ensembles that people use."""
