"""Steps 1 to 3 of the tour: vocabulary, pretraining, masked-token predictions."""

import dataclasses
from pathlib import Path

import keras
import numpy as np

from keras_bert.catalog.bundled import ENCODER, is_bundled
from keras_bert.config import BertConfig
from keras_bert.data import LabeledDataset, load_corpus, tokenize_documents
from keras_bert.inference.fill_mask import fill_mask
from keras_bert.models import BertEncoder, BertPretrainer
from keras_bert.text import BertTextVectorization
from keras_bert.text.documents import TokenizedDocuments
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples, pack_examples
from keras_bert.text.vocabulary import load_or_learn_vocabulary
from keras_bert.tour.plan import TourPlan
from keras_bert.tour.steps import Step
from keras_bert.training import pretrain
from keras_bert.weights import load_pretrained, save_pretrained

VALIDATION_SHARE = 0.1  # share of the prose that is used to select the best weights
MASKED_SENTENCES = (
    "she opened the [MASK] and went in .",
    "he put the letter on the [MASK] .",
    "the [MASK] is a delight .",
    "i have never [MASK] such a film .",
)


def learn_vocabulary(step: Step, plan: TourPlan, data: LabeledDataset, work: Path) -> BertTextVectorization:
    """Step 1: learn the vocabulary from the sample's prose and the labeled training sentences."""
    prose = [sentence for document in load_corpus("sample") for sentence in document]
    texts = [*prose, *data.train_texts]
    vocabulary = load_or_learn_vocabulary(None, texts, plan.vocab_size, lowercase=True, work=work)
    step.add_line(
        f"{len(vocabulary):,} tokens from {len(prose):,} sentences of prose and "
        f"{len(data.train_texts):,} labeled sentences"
    )
    return BertTextVectorization(vocabulary, sequence_length=plan.sequence_length)


def pretrain_encoder(step: Step, plan: TourPlan, data: LabeledDataset, vectorizer, seed: int, work: Path):
    """Step 2: pretrain with masked-LM and next-sentence prediction.

    Returns:
        The `BertPretrainer`, and a dict of what was measured.
    """
    vocabulary = vectorizer.get_vocabulary()
    keras.utils.set_random_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        num_layers=plan.num_layers,
        hidden_size=plan.hidden_size,
        num_heads=plan.num_heads,
        intermediate_size=4 * plan.hidden_size,
        max_position_embeddings=max(128, plan.sequence_length),
        hidden_dropout=plan.dropout,
        attention_dropout=plan.dropout,
        initializer_range=plan.initializer_range,
    )
    model = BertPretrainer(BertEncoder(config))
    examples, validation = pretraining_examples(plan, data, vectorizer, seed)
    history = pretrain(
        model,
        examples,
        Masking.from_vocabulary(vocabulary),
        validation=validation,
        steps=plan.pretrain_steps,
        batch_size=plan.pretrain_batch,
        learning_rate=plan.pretrain_learning_rate,
        embedding_init="ppmi",
        seed=seed,
        validate_every=max(1, plan.pretrain_steps // plan.evaluations),
        checkpoint_dir=work / "pretraining",
        checkpoint_every=100,
        callbacks=[step.expect(plan.pretrain_steps)],
        verbose=0,
    ).history
    best = int(np.argmin(history["val_loss"]))
    facts = {
        "parameters": model.count_params(),
        "encoder_parameters": model.encoder.count_params(),
        "examples": len(examples),
        "validation_examples": len(validation),
        "mlm_majority": _most_frequent_token_share(validation),
        "nsp_majority": float(np.bincount(validation.next_sentence_labels).max() / len(validation)),
        **{name: history[f"val_{name}"][best] for name in ("mlm_loss", "mlm_accuracy", "nsp_accuracy")},
        "history": history,
    }
    step.add_line(
        f"{config.num_layers} layers, hidden size {config.hidden_size}, {facts['parameters']:,} parameters; "
        f"{len(examples):,} sequences"
    )
    step.add_line(
        f"on validation prose: masked-LM accuracy {facts['mlm_accuracy']:.1%} "
        f"(most frequent token: {facts['mlm_majority']:.1%}), next-sentence accuracy "
        f"{facts['nsp_accuracy']:.1%} (most frequent class: {facts['nsp_majority']:.1%})"
    )
    return model, facts


def pretraining_examples(
    plan: TourPlan, data: LabeledDataset, vectorizer, seed: int
) -> tuple[PretrainingExamples, PretrainingExamples]:
    """Pack the training examples (prose, and labeled sentences without their labels) and the validation prose.

    A labeled sentence has no next sentence, so its second segment is always random. These sentences are packed
    separately from the prose. Otherwise their style alone would show which second segment is random.
    """

    def pack(documents: TokenizedDocuments) -> PretrainingExamples:
        ids = vectorizer.cls_id, vectorizer.sep_id
        return pack_examples(documents, plan.sequence_length, *ids, dupe_factor=plan.dupe_factor, seed=seed)

    prose, validation = tokenize_documents(load_corpus("sample"), vectorizer).split(VALIDATION_SHARE, seed=seed)
    prose_examples = pack(prose)
    order = np.random.default_rng(seed).permutation(len(data.train_texts))
    count = int(plan.sentences_per_example * len(prose_examples))
    sentences = [[data.train_texts[i]] for i in order[:count]]
    sentence_examples = pack(tokenize_documents(sentences, vectorizer))
    fields = (field.name for field in dataclasses.fields(PretrainingExamples))
    parts = {name: [getattr(rows, name) for rows in (prose_examples, sentence_examples)] for name in fields}
    both = {name: np.concatenate(part) for name, part in parts.items() if part[0] is not None}  # one sentence task
    return PretrainingExamples(**both), pack(validation)


def _most_frequent_token_share(examples: PretrainingExamples) -> float:
    """Compute the share of the most frequent token among all tokens that can be masked."""
    ids = examples.input_word_ids.astype("int64")  # [N, T]
    counts = np.bincount(ids[np.arange(ids.shape[1]) < examples.lengths[:, None]])  # [V]
    counts[np.unique(ids[:, 0])] = 0  # [CLS] is the first token of every row
    counts[ids[np.arange(len(ids)), examples.lengths - 1]] = 0  # [SEP] is the last
    return float(counts.max() / counts.sum())


def predict_masked_tokens(step: Step, model: BertPretrainer, vectorizer, folder: Path) -> dict[str, list[dict]]:
    """Step 3: save the pretrained model, load it again, and fill masks; do the same with the bundled encoder.

    Returns:
        A dict of model name to what `fill_mask` returns.
    """
    save_pretrained(model, folder, vectorizer)
    sources = {"this run": folder, **({ENCODER: ENCODER} if is_bundled(ENCODER) else {})}
    predictions = {name: fill_mask(load_pretrained(source), list(MASKED_SENTENCES)) for name, source in sources.items()}
    for number, text in enumerate(MASKED_SENTENCES):
        step.add_line(text)
        for name, rows in predictions.items():
            tokens = ", ".join(prediction["token"] for prediction in rows[number]["masks"][0]["predictions"])
            step.add_line(f"    {name}: {tokens}")
    return predictions
