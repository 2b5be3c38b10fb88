"""Training: spiking networks with learned leaks and thresholds, in real numbers, then in the hardware's integers."""
