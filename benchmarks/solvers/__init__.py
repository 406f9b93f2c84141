"""Simplex weights: our solver against others; and the speed of a whole fit."""
