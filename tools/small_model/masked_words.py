"""Masked-LM accuracy per word, so that encoders with different vocabularies can be compared."""

import json

import numpy as np
from keras import ops

import keras_bert as kb
from keras_bert.files import atomic_write
from keras_bert.inference.length_sorted import length_sorted_batches
from keras_bert.ops import WIDTH_STEP
from keras_bert.text.vocabulary import load_vocabulary
from tools.build_saved_models import SAVED_MODELS
from tools.small_model.healing import HELD_OUT
from tools.small_model.measuring import MEASURED
from tools.small_model.texts import make_tokenizer, read_corpus, token_lists

RATE, LENGTH, BATCH = 0.15, 128, 64
ENCODERS = ("bert_en_uncased_mini", "bert_en_uncased_small")


def compare_masked_words(arguments) -> dict:
    """Mask the same words for both bundled encoders, and store the shares that they predict in measured.json."""
    documents = read_corpus(arguments.corpus)
    paragraphs = [
        text for document in documents[len(documents) - int(HELD_OUT * len(documents)) :] for text in document
    ]
    folders = [SAVED_MODELS / name / "assets" for name in ENCODERS]
    vocabularies = [load_vocabulary(folder / "vocab.txt") for folder in folders]
    tokens = [list(token_lists(make_tokenizer(folder), paragraphs)) for folder in folders]
    plans = [plan for rows in zip(*tokens, strict=True) if (plan := words_to_mask(rows, vocabularies, arguments.seed))]
    accuracies = {}
    for i, name in enumerate(ENCODERS):
        correct = predict(kb.load_pretrained(name), [plan[i] for plan in plans], vocabularies[i])
        accuracies[name] = float(np.mean(correct))
    found = {"masked_words": {"words": sum(len(plan[0][1]) for plan in plans), "accuracies": accuracies}}
    with atomic_write(MEASURED) as draft:
        text = json.dumps(json.loads(MEASURED.read_text(encoding="utf-8")) | found, indent=1)
        draft.write_text(text + "\n", encoding="utf-8")
    return found


def words_to_mask(rows, vocabularies, seed: int) -> list[tuple] | None:
    """Choose words of a paragraph that are one token in each vocabulary.

    Args:
        rows: the token ids of the paragraph in each vocabulary.
        vocabularies: the tokens of each vocabulary.
        seed: the words depend on it and on the paragraph.

    Returns:
        For each vocabulary the ids and the positions of the chosen words, the same words in the same order; None if no
        word was chosen or the paragraph does not fit into a row.
    """
    if max(map(len, rows)) > LENGTH - 2:
        return None
    starts = []  # of each word, then the end
    for ids, vocabulary in zip(rows, vocabularies, strict=True):
        starts.append([i for i, token in enumerate(ids) if not vocabulary[token].startswith("##")] + [len(ids)])
    if len(starts[0]) != len(starts[1]):  # a character that only one of the vocabularies has
        return None
    whole = [
        k
        for k in range(len(starts[0]) - 1)
        if all(each[k + 1] - each[k] == 1 for each in starts)
        and vocabularies[0][rows[0][starts[0][k]]] == vocabularies[1][rows[1][starts[1][k]]]
        and vocabularies[0][rows[0][starts[0][k]]].isalpha()
    ]
    count = round(RATE * len(whole))
    if not count:
        return None
    rng = np.random.default_rng([seed, len(rows[0]), int(rows[0][0])])
    chosen = sorted(rng.choice(whole, count, replace=False))
    return [(ids, [each[k] for k in chosen]) for ids, each in zip(rows, starts, strict=True)]


def predict(pretrained, rows: list[tuple], vocabulary: list[str]) -> np.ndarray:
    """Return for each masked word whether it is the most probable token."""
    cls_id, sep_id, mask_id = (vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[MASK]"))
    most = max(len(positions) for _, positions in rows)
    ids = np.zeros((len(rows), LENGTH), np.int32)  # [N, T]
    lengths, places = np.zeros(len(rows), int), np.zeros((len(rows), most), np.int32)  # [N], [N, P]
    labels = np.full((len(rows), most), -1)  # [N, P]
    for i, (row, positions) in enumerate(rows):
        lengths[i] = len(row) + 2
        ids[i, : lengths[i]] = [cls_id, *row, sep_id]
        places[i, : len(positions)] = np.array(positions) + 1
        labels[i, : len(positions)] = row[positions]
        ids[i, places[i, : len(positions)]] = mask_id
    mask = (np.arange(LENGTH) < lengths[:, None]).astype(np.int32)  # [N, T]
    inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)}
    correct = np.zeros(labels.shape, bool)  # [N, P]
    for chosen, batch in length_sorted_batches(inputs, BATCH, WIDTH_STEP):
        outputs = pretrained.model.predict_on_batch({**batch, "masked_lm_positions": places[chosen]})
        correct[chosen] = ops.convert_to_numpy(outputs["mlm_logits"]).argmax(-1) == labels[chosen]
    return correct[labels >= 0]
