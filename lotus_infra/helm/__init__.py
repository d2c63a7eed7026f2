"""Values of Dagster's Helm chart."""
