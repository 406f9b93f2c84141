"""Rank given black-box models, find the bad ones, prune them, audit what is left."""
