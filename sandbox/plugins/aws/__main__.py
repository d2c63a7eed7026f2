"""The process that the engine starts."""

from contextlib import nullcontext

from pulumi_airbyte.provider.plugin import run

from sandbox.plugins.aws.servicer import Servicer

if __name__ == "__main__":
    run(lambda _: nullcontext(Servicer()))
