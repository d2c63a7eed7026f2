"""What a stack says of Dagster on a cluster, and the chart's values that follow from it: typed and pure."""
