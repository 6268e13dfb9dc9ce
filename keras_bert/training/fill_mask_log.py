"""A callback that logs the predictions of masked tokens during pretraining."""

import json
from pathlib import Path

import keras

from keras_bert.constants import FILL_MASK_FILE
from keras_bert.errors import InputError
from keras_bert.inference.fill_mask import eager_outputs, mask_vectorizer, predict_masks
from keras_bert.tasks import Preprocessor


class FillMaskLog(keras.callbacks.Callback):
    """Callback of `kb.pretrain` that predicts the masked tokens of some texts at each evaluation.

    The predictions are appended to `fill_mask.jsonl` in the log folder, one JSON object per evaluation with `step` and
    `texts` (what `kb.fill_mask` returns). `kb.explain.run_page` shows them. A resumed run continues the file. The
    weights of the run do not depend on this callback.

    Args:
        log_dir: the folder of the run's log, as in `TrainingConfig`.
        texts: list of texts, each with at least one `[MASK]`.
        vectorizer: the `BertTextVectorization` of the model's vocabulary.
        top_k: number of tokens per mask.

    Raises:
        InputError: there is no text, or a text has no `[MASK]`; at the beginning of the training, the vocabulary does
            not fit the model.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> from keras_bert.text.masking import Masking
    >>> from keras_bert.text.packing import pack_examples
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"]
    >>> examples = pack_examples([[[5, 6, 7], [6, 7]], [[7, 5], [5, 6]]], 12, cls_id=2, sep_id=3)
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model, folder = kb.BertPretrainer(kb.BertEncoder(config)), tempfile.mkdtemp()
    >>> log = FillMaskLog(folder, ["a [MASK] c"], kb.BertTextVectorization(vocabulary), top_k=2)
    >>> masking = Masking.from_vocabulary(vocabulary, max_predictions=3)
    >>> _ = kb.pretrain(model, examples, masking, steps=2, batch_size=2, callbacks=[log], verbose=0)
    >>> json.loads((Path(folder) / "fill_mask.jsonl").read_text().splitlines()[-1])["step"]
    2
    """

    def __init__(self, log_dir: str | Path, texts: list[str], vectorizer, top_k: int = 5):
        super().__init__()
        if not texts or not all("[MASK]" in text for text in texts):
            raise InputError(f"`texts` must have at least one text, and [MASK] in each. Received: texts={texts!r}")
        self.path, self.texts, self.top_k = Path(log_dir) / FILL_MASK_FILE, list(texts), top_k
        self.vectorizer = vectorizer

    def on_train_begin(self, logs=None) -> None:
        """Keep what a run that is resumed has logged up to its last checkpoint."""
        self.preprocessor = Preprocessor.from_vectorizer(self.vectorizer, self.model.encoder)
        self.mask_vectorizer = mask_vectorizer(self.preprocessor)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        kept = [line for line in lines if json.loads(line)["step"] <= self._step()]
        self.path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Predict, and append a line."""
        predict = eager_outputs(self.model)
        vocabulary = list(self.preprocessor.vocabulary)
        found = predict_masks(predict, vocabulary, self.mask_vectorizer, self.texts, self.top_k)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self._step(), "texts": found}, ensure_ascii=False) + "\n")

    def _step(self) -> int:
        return int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
