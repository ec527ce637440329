"""How well reports of one event are joined, on labelled reports, and what joining costs."""
