"""`lotus add`."""

import click


@click.group()
def add() -> None:
    """Write the files of a new source, stream or destination.

    Example: lotus add source shop --connector source-shopify
    """
