"""A simulated week of a desk: who reports what and when, what analysts and teams do, and whether anything is lost."""
