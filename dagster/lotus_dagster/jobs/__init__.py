"""What Airbyte's jobs say of streams that land elsewhere than in the landing zone, one connection after the other.

`decide` is pure and decides everything; `airbyte` asks Airbyte; `sensor` is what Dagster evaluates.
"""
