"""The command line `keras-bert`: one command per file; `main` lists them."""
