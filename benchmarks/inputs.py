"""What the contestants are given: sizes, batches, sentences, a vocabulary; the same files for all."""

from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def size(layers: int, hidden: int, vocabulary: int = 30522, heads: int | None = None) -> dict:
    """The fields of a `BertConfig`, without dropout; heads of 64 and an inner width of 4 H, as published."""
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


def full_rows(config: dict, batch: int, length: int, positions: int = 1, seed: int = 0) -> dict[str, np.ndarray]:
    """Rows without padding, and masked positions with their words."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(5, config["vocab_size"], (batch, length), np.int32)
    places = np.stack([np.sort(rng.permutation(length)[:positions]) for _ in range(batch)]).astype(np.int32)
    return {
        "input_word_ids": ids,
        "input_mask": np.ones_like(ids),
        "input_type_ids": np.zeros_like(ids),
        "masked_lm_positions": places,
        "masked_lm_ids": rng.integers(5, config["vocab_size"], (batch, positions), np.int32),
    }


class Texts:
    """SST-2 and the published vocabulary where they are, else the embedded sample and the words of it.

    Attributes:
        train, train_labels, dev: sentences, and labels of the first.
        vocabulary: path of a vocab.txt with 30,522 lines.
        name: what to call the sentences in a row.
    """

    def __init__(self, data: Path | None, folder: Path):
        from keras_bert.data import load_labeled

        sst2 = data / "data" / "SST-2" if data else None
        found = load_labeled(sst2 if sst2 and (sst2 / "train.tsv").is_file() else "sample")
        self.name = "SST-2" if found.name != "sample" else "the embedded sample (SST-2 is not at hand)"
        self.train, self.train_labels, self.dev = found.train_texts, found.train_labels, found.dev_texts
        published = data / "data" / "vocab" / "bert_en_uncased.txt" if data else None
        if published and published.is_file():
            self.vocabulary = published
        else:
            self.vocabulary = folder / "vocab.txt"
            tokens = sample_vocabulary([*self.train, *self.dev])
            self.vocabulary.write_text("\n".join(tokens) + "\n", encoding="utf-8")

    def rows(self, texts: list[str], length: int) -> dict[str, np.ndarray]:
        """The three inputs of texts, padded to `length`."""
        from tokenizers import BertWordPieceTokenizer

        tokenizer = BertWordPieceTokenizer(str(self.vocabulary), lowercase=True)
        tokenizer.enable_padding(length=length)
        tokenizer.enable_truncation(length)
        found = tokenizer.encode_batch(texts)
        mask = np.array([each.attention_mask for each in found], np.int32)
        ids = np.array([each.ids for each in found], np.int32)
        return {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)}


def sample_vocabulary(texts: list[str], tokens: int = 30522) -> list[str]:
    """Characters and words of the texts, filled up with unused tokens to the published number."""
    words = sorted({word for text in texts for word in text.lower().split() if word.isalpha()})
    letters = sorted({letter for text in texts for letter in text.lower() if not letter.isspace()})
    found = list(dict.fromkeys([*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *words]))[:tokens]
    return found + [f"[unused{i}]" for i in range(tokens - len(found))]
