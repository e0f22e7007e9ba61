"""The command line `pet-dcgan`; it parses, calls and prints."""

from typing import Annotated

import typer

from pet_dcgan import __version__
from pet_dcgan.cli import data, evaluate, serving, train

app = typer.Typer(
    name="pet-dcgan",
    help="Brain PET scans in, trained generators of synthetic PET out. "
    "Start with: pet-dcgan demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Takes the options that come before a command."""


for _part in (data, train, evaluate, serving):
    app.add_typer(_part.router)


def main() -> None:
    """Runs the command line."""
    app()
