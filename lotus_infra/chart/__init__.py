"""What the Dagster chart takes as values: facts, and the check that values are held against. No Pulumi, no network."""
