"""The cache of fitted members: what identifies a fit, and the file that keeps it."""

from stackingnet_sk.cache.fit_file import Fitted
from stackingnet_sk.cache.fit_places import cached_fits
from stackingnet_sk.cache.member_cache import CachedFit, open_folder
from stackingnet_sk.cache.member_key import Fingerprints

__all__ = ["CachedFit", "Fingerprints", "Fitted", "cached_fits", "open_folder"]
