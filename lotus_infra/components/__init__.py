"""The lake's parts as Pulumi resources, one file each. They know the SDK and never the network."""
