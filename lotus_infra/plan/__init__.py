"""The effect of an update, computed from its preview: impact on data, gate and drift. Pure: no calls, no files."""
