"""Build step of the wheel: copy the bundled models into the package. Everything else is in pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODELS = ("bert_en_uncased_mini", "bert_en_uncased_small", "sst2_sentiment")


class BuildWithModels(build_py):
    """Copy `saved_models/NAME` to `keras_bert/saved_models/NAME` in the built package, not in the checkout."""

    def run(self):
        super().run()
        if not self.editable_mode:  # an editable install finds the models in the checkout
            for name in MODELS:
                self.copy_tree(f"saved_models/{name}", str(Path(self.build_lib) / "keras_bert" / "saved_models" / name))


setup(cmdclass={"build_py": BuildWithModels})
