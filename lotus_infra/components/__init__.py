"""Pulumi components. They use SDKs, and never call the network."""
