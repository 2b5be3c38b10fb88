"""From a configuration to verified hardware: the one place that uses all the packages."""
