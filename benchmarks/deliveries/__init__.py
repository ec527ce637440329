"""Hand-offs to receivers that fail half of the time, while deciding and sending processes are killed; lost ones out."""

from benchmarks.deliveries.measuring import Amount, measure_deliveries

__all__ = ["Amount", "measure_deliveries"]
