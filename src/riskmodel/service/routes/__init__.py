"""One module a noun: predict, model, health."""
