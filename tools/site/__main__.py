"""Build the documentation site: `python -m tools.site --out build/site` writes build/site/html.

It also checks that every public name is documented (sphinx.ext.coverage). Warnings are errors, and references to names
that do not exist are warnings.
"""

import argparse
import sys
from pathlib import Path

from tools.site.build import build


def main(argv: list[str] | None = None) -> int:
    """Build the site of a command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/site"), help="folder; the site is in its folder html")
    parser.add_argument("--tutorials", type=Path, help="the folder of the book, by default tutorials")
    parser.add_argument("--no-api", action="store_true", help="without the API reference, which imports Keras")
    arguments = parser.parse_args(argv)
    status = build(arguments.out, tutorials=arguments.tutorials, api=not arguments.no_api)
    if status == 0:
        print(arguments.out / "html" / "index.html")
    return status


if __name__ == "__main__":
    sys.exit(main())
