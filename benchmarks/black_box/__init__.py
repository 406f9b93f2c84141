"""Combine given predictions of black-box models at every number of labels."""
