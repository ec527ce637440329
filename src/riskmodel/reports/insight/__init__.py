"""The insight report: days and a casebook in, what came in, what was done and where it is heading out."""
