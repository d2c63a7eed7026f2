"""The plugin `pulumi-resource-airbyte`: knows the client and the engine's protocol, and nothing of any lake."""
