"""Encoder and service beside their yardsticks, each pair measured in one run, alternating, on the same machine."""
