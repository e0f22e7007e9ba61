#!/usr/bin/env python3
"""Draws synthetic slices from a model server over REST.

    rest_client.py http://localhost:8501/v1/models/ad --count 4 --out images

16-bit PNGs, or with --suvr float32 arrays, and images.csv with the seed and
the model's version of each. The same seed gives the same image. Needs Python
3.11 alone (and numpy for --suvr). Exit codes: 0 done, 1 failed, 2 options.
"""

import argparse
import sys

import synthetic
from rest import Model, ServerError, model_url


def main(arguments: list[str] | None = None) -> int:
    """Parses, draws, and gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", type=model_url, help="of the model")
    synthetic.arguments(parser)
    options = parser.parse_args(arguments)
    return synthetic.run(lambda: _draw(options), ServerError)


def _draw(options: argparse.Namespace) -> None:
    # a newer version may be loaded meanwhile: all images are of one
    model = Model(options.url, timeout=options.timeout).pinned()
    signature = "generate" if options.suvr else "generate_png"
    synthetic.write(
        options,
        facts=synthetic.facts_of(*model.predict("describe", [0])),
        name=model.name,
        version=model.version,
        draw=lambda seeds: model.predict(signature, seeds),
    )


if __name__ == "__main__":
    sys.exit(main())
