"""Time and memory against rows and models, in memory, from disk, on workers."""
