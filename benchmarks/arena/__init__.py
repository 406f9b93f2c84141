"""Defaults against plain rivals, on generated situations and on tables of a folder."""
