"""The inputs of all contestants: sizes, batches, sentences and a vocabulary."""

from pathlib import Path

import numpy as np

from keras_bert.constants import SPECIAL_TOKENS

ROOT = Path(__file__).resolve().parent.parent


def size(layers: int, hidden: int, vocabulary: int = 30522, heads: int | None = None) -> dict:
    """Return the fields of a `BertConfig` without dropout, by default with heads of size 64, as published."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "num_layers": layers,
        "num_heads": heads or hidden // 64,
        "intermediate_size": 4 * hidden,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    }


MINI, BASE, TINY = size(4, 256), size(12, 768), size(2, 32, heads=2)
SMALL = size(6, 384, heads=12)  # the shape of bert_en_uncased_small


def full_rows(config: dict, batch: int, length: int, positions: int = 1, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw random rows without padding, with masked positions.

    Args:
        config: the fields of a `BertConfig`.
        batch: B.
        length: T.
        positions: P.
        seed: random seed.

    Returns:
        The three inputs, int32 `[B, T]`; `masked_lm_positions` and `masked_lm_ids`, int32 `[B, P]`.
    """
    rng = np.random.default_rng(seed)
    ids = rng.integers(5, config["vocab_size"], (batch, length), np.int32)  # [B, T]
    masked = [np.sort(rng.permutation(length)[:positions]) for _ in range(batch)]
    return {
        "input_word_ids": ids,
        "input_mask": np.ones_like(ids),
        "input_type_ids": np.zeros_like(ids),
        "masked_lm_positions": np.stack(masked).astype(np.int32),  # [B, P]
        "masked_lm_ids": rng.integers(5, config["vocab_size"], (batch, positions), np.int32),  # [B, P]
    }


class Texts:
    """SST-2 and the published vocabulary; without that data, the embedded sample and a vocabulary of its words.

    Args:
        data: folder with `data/SST-2` and `data/vocab`, or None.
        folder: folder in which a vocabulary is written if none is published in `data`.

    Attributes:
        train, train_labels, dev: sentences of the train part and their labels, and sentences of the dev part.
        vocabulary: path of a vocab.txt with 30,522 lines.
        name: name of the dataset.
    """

    def __init__(self, data: Path | None, folder: Path):
        from keras_bert.data import load_labeled

        sst2 = data / "data" / "SST-2" if data else None
        found = load_labeled(sst2 if sst2 and (sst2 / "train.tsv").is_file() else "sample")
        self.name = "SST-2" if found.name != "sample" else "the embedded sample (no SST-2 available)"
        self.train, self.train_labels, self.dev = found.train_texts, found.train_labels, found.dev_texts
        published = data / "data" / "vocab" / "bert_en_uncased.txt" if data else None
        if published and published.is_file():
            self.vocabulary = published
        else:
            self.vocabulary = folder / "vocab.txt"
            tokens = make_vocabulary([*self.train, *self.dev])
            self.vocabulary.write_text("\n".join(tokens) + "\n", encoding="utf-8")

    def rows(self, texts: list[str], length: int) -> dict[str, np.ndarray]:
        """Convert texts to the three inputs, int32 `[N, length]`."""
        from tokenizers import BertWordPieceTokenizer

        tokenizer = BertWordPieceTokenizer(str(self.vocabulary), lowercase=True)
        tokenizer.enable_padding(length=length)
        tokenizer.enable_truncation(length)
        encoded = tokenizer.encode_batch(texts)
        mask = np.array([each.attention_mask for each in encoded], np.int32)
        ids = np.array([each.ids for each in encoded], np.int32)
        return {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)}


def make_vocabulary(texts: list[str], size: int = 30522) -> list[str]:
    """List special tokens, characters and words of the texts, and fill up with unused tokens to `size`."""
    words = sorted({word for text in texts for word in text.lower().split() if word.isalpha()})
    letters = sorted({letter for text in texts for letter in text.lower() if not letter.isspace()})
    tokens = [*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters), *words]
    tokens = list(dict.fromkeys(tokens))[:size]
    return tokens + [f"[unused{i}]" for i in range(size - len(tokens))]
