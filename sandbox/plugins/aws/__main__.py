"""The process that the engine starts."""

from pulumi_airbyte.provider.plugin import run

from sandbox.plugins.aws.servicer import Servicer

if __name__ == "__main__":
    run(lambda _: Servicer())
