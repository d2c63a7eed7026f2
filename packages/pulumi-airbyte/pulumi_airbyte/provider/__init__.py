"""The plugin `pulumi-resource-airbyte`: the client behind the engine's protocol. It is independent of any lake."""
