"""Stand-ins for official provider plugins, for machines on which those can't be installed."""
