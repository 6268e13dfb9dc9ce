"""The bundled models: SavedModels in the folder `saved_models/`."""

from pathlib import Path

from keras_bert.errors import InputError

PACKAGE = Path(__file__).resolve().parents[1]
# The folder is inside the package in an installed wheel, and next to the package in a clone of the repository.
SAVED_MODELS = PACKAGE / "saved_models" if (PACKAGE / "saved_models").is_dir() else PACKAGE.parent / "saved_models"
ENCODER, SMALL, SENTIMENT = "bert_en_uncased_mini", "bert_en_uncased_small", "sst2_sentiment"
BUNDLED = {  # name: description
    ENCODER: "encoder with its masked-LM head, pretrained by this project; TF-Hub's interface",
    SMALL: "encoder with its masked-LM head, made from MiniLM and trained further; TF-Hub's interface",
    SENTIMENT: "sentiment classifier: takes text, returns negative or positive; the small encoder, fine-tuned on SST-2",
}


def is_bundled(name: str) -> bool:
    """Return whether this installation contains the bundled model with this name."""
    return (SAVED_MODELS / name / "saved_model.pb").is_file()


def find_bundled(name: str) -> Path:
    """Return the folder of a bundled model, a SavedModel.

    Args:
        name: one of `BUNDLED`.

    Returns:
        The folder's path.

    Raises:
        InputError: this installation does not contain the model.
    """
    if not is_bundled(name):
        raise InputError(
            f"`name` must be a model that this installation contains. Received: name={name} (no folder "
            f"{SAVED_MODELS / name}). Install from a clone of the repository (pip install -e .), or give the folder "
            "of another model."
        )
    return SAVED_MODELS / name
