"""The models that ship with the repository, in `saved_models/` beside the package."""

from pathlib import Path

from keras_bert.errors import InputError

PACKAGE = Path(__file__).resolve().parents[1]
# An installed wheel holds the models inside the package, a checkout beside it.
SAVED_MODELS = PACKAGE / "saved_models" if (PACKAGE / "saved_models").is_dir() else PACKAGE.parent / "saved_models"
ENCODER, SENTIMENT = "bert_en_uncased_mini", "sst2_sentiment"
BUNDLED = {
    ENCODER: "encoder with its masked-word head, pretrained by this project; TF-Hub's interface",
    SENTIMENT: "text in, negative or positive out: that encoder, fine-tuned on SST-2",
}


def is_bundled(name: str) -> bool:
    """Whether this installation has that model: one from a clone of a repository that holds it."""
    return (SAVED_MODELS / name / "saved_model.pb").is_file()


def find_bundled(name: str) -> Path:
    """The folder of a model that ships, a SavedModel.

    Args:
        name: one of `BUNDLED`.

    Raises:
        InputError: this installation does not have it.
    """
    if not is_bundled(name):
        raise InputError(
            f"{name} comes with a clone that holds it in saved_models/ (pip install -e .); elsewhere give a model's "
            f"folder. Received: an installation without {SAVED_MODELS / name}"
        )
    return SAVED_MODELS / name
