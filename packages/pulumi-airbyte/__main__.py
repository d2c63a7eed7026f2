"""The plugin, as the engine runs it from a folder that has a `PulumiPlugin.yaml`."""

from pulumi_airbyte.provider.process import main

main()
