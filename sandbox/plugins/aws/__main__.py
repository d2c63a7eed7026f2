"""The process that the engine starts."""

from contextlib import nullcontext

from pulumi_airbyte.provider.process import lean


def main() -> None:
    """Run the stand-in."""
    with lean():
        from pulumi_airbyte.provider.plugin import run  # noqa: PLC0415

        from sandbox.plugins.aws.servicer import Servicer  # noqa: PLC0415
    run(lambda _: nullcontext(Servicer()))


if __name__ == "__main__":
    main()
