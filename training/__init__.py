"""Training: labelled escalations in, a versioned model folder out. The service never imports this package."""
