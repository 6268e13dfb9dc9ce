"""Run the command line: `python -m keras_bert` is the same as `keras-bert`."""

import sys

from keras_bert.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
