"""The bundled models: SavedModels in `saved_models/`, beside the package."""

from pathlib import Path

from keras_bert.errors import InputError

PACKAGE = Path(__file__).resolve().parents[1]
# An installed wheel holds the models inside the package, a checkout beside it.
SAVED_MODELS = PACKAGE / "saved_models" if (PACKAGE / "saved_models").is_dir() else PACKAGE.parent / "saved_models"
ENCODER, SENTIMENT = "bert_en_uncased_mini", "sst2_sentiment"
BUNDLED = {  # name: description
    ENCODER: "encoder with its masked-LM head, pretrained by this project; TF-Hub's interface",
    SENTIMENT: "sentiment classifier: takes text, returns negative or positive; the encoder fine-tuned on SST-2",
}


def is_bundled(name: str) -> bool:
    """Return whether this installation contains the bundled model of this name."""
    return (SAVED_MODELS / name / "saved_model.pb").is_file()


def find_bundled(name: str) -> Path:
    """Return the folder of a bundled model, a SavedModel.

    Args:
        name: one of `BUNDLED`.

    Raises:
        InputError: this installation does not contain the model.
    """
    if not is_bundled(name):
        raise InputError(
            f"`name` must be a model that this installation contains. Received: name={name} (there is no "
            f"{SAVED_MODELS / name}). Install from a clone of the repository (pip install -e .), or give the folder "
            "of another model."
        )
    return SAVED_MODELS / name
