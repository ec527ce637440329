"""The HTTP service: requests in, assessments and problem documents out."""
