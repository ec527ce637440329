"""Other ways to serve the same encoder with scikit-learn heads, each started as its own documentation says."""
