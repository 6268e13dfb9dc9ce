"""The first half of the tour: vocabulary, pretraining, words in gaps, fine-tuning, evaluation."""

import dataclasses
from pathlib import Path

import keras
import numpy as np

from keras_bert.catalog.bundled import ENCODER, is_bundled
from keras_bert.config import BertConfig
from keras_bert.data import LabeledDataset, load_corpus, tokenize_documents
from keras_bert.inference import evaluate
from keras_bert.inference.fill_mask import fill_mask
from keras_bert.models import BertClassifier, BertEncoder, BertPretrainer
from keras_bert.text import BertTextVectorization
from keras_bert.text.documents import TokenizedDocuments
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples, pack_examples
from keras_bert.text.vocabulary import load_or_learn_vocabulary
from keras_bert.tour.plan import TourPlan
from keras_bert.tour.steps import Step
from keras_bert.training import finetune, pretrain
from keras_bert.weights import load_pretrained, save_pretrained

HELD_OUT = 0.1  # of the prose, to choose the best weights by
GAPS = (
    "she opened the [MASK] and went in .",
    "he put the letter on the [MASK] .",
    "the [MASK] is a delight .",
    "i have never [MASK] such a film .",
)


def learn_vocabulary(step: Step, plan: TourPlan, data: LabeledDataset, work: Path) -> BertTextVectorization:
    """Step 1: the tokens of the sample's prose and of the labelled training sentences."""
    prose = [sentence for document in load_corpus("sample") for sentence in document]
    vocabulary = load_or_learn_vocabulary(None, [*prose, *data.train_texts], plan.vocab_size, lowercase=True, work=work)
    step.say(
        f"{len(vocabulary):,} tokens from {len(prose):,} sentences of prose and {len(data.train_texts):,} labelled ones"
    )
    return BertTextVectorization(vocabulary, sequence_length=plan.sequence_length)


def pretrain_encoder(step: Step, plan: TourPlan, data: LabeledDataset, vectorizer, seed: int, work: Path):
    """Step 2: masked words and next sentences; returns the `BertPretrainer` and the facts of its training."""
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
    rows, held_out = pretraining_rows(plan, data, vectorizer, seed)
    history = pretrain(
        model,
        rows,
        Masking.from_vocabulary(vocabulary),
        validation=held_out,
        steps=plan.pretrain_steps,
        batch_size=plan.pretrain_batch,
        learning_rate=plan.pretrain_rate,
        embedding_init="ppmi",
        seed=seed,
        validate_every=max(1, plan.pretrain_steps // plan.rounds),
        checkpoint_dir=work / "pretraining",
        checkpoint_every=100,
        callbacks=[step.expect(plan.pretrain_steps)],
        verbose=0,
    ).history
    best = int(np.argmin(history["val_loss"]))
    facts = {
        "parameters": model.count_params(),
        "encoder_parameters": model.encoder.count_params(),
        "rows": len(rows),
        "held_out_rows": len(held_out),
        "mlm_majority": _commonest(held_out),
        "nsp_majority": float(np.bincount(held_out.next_sentence_labels).max() / len(held_out)),
        **{name: history[f"val_{name}"][best] for name in ("mlm_loss", "mlm_accuracy", "nsp_accuracy")},
        "history": history,
    }
    step.say(
        f"{config.num_layers} layers of {config.hidden_size}, {facts['parameters']:,} parameters; "
        f"{len(rows):,} sequences"
    )
    step.say(
        f"on prose never trained on: masked words {facts['mlm_accuracy']:.1%} right "
        f"(the commonest: {facts['mlm_majority']:.1%}), next sentences "
        f"{facts['nsp_accuracy']:.1%} ({facts['nsp_majority']:.1%})"
    )
    return model, facts


def pretraining_rows(
    plan: TourPlan, data: LabeledDataset, vectorizer, seed: int
) -> tuple[PretrainingExamples, PretrainingExamples]:
    """What is pretrained on, prose and labelled sentences without their labels, and held-out prose.

    The sentences stand alone: none follows another, so B is always a random one. They are packed apart from the prose,
    or their style alone would tell which B is random.
    """

    def pack(documents: TokenizedDocuments) -> PretrainingExamples:
        ids = vectorizer.cls_id, vectorizer.sep_id
        return pack_examples(documents, plan.sequence_length, *ids, dupe_factor=plan.dupe_factor, seed=seed)

    prose, held_out = tokenize_documents(load_corpus("sample"), vectorizer).split(HELD_OUT, seed=seed)
    prose_rows = pack(prose)
    order = np.random.default_rng(seed).permutation(len(data.train_texts))
    chosen = [[data.train_texts[i]] for i in order[: int(plan.sentences_per_row * len(prose_rows))]]
    sentence_rows = pack(tokenize_documents(chosen, vectorizer))
    fields = (field.name for field in dataclasses.fields(PretrainingExamples))
    parts = {name: [getattr(rows, name) for rows in (prose_rows, sentence_rows)] for name in fields}
    both = {name: np.concatenate(part) for name, part in parts.items() if part[0] is not None}  # labels of one task
    return PretrainingExamples(**both), pack(held_out)


def _commonest(rows: PretrainingExamples) -> float:
    """The share of the commonest token among those that may be masked: all but [CLS], [SEP] and padding."""
    words = rows.input_word_ids.astype("int64")
    counts = np.bincount(words[np.arange(words.shape[1]) < rows.lengths[:, None]])
    counts[np.unique(words[:, 0])] = 0  # [CLS] begins every row
    counts[words[np.arange(len(words)), rows.lengths - 1]] = 0  # [SEP] ends it
    return float(counts.max() / counts.sum())


def fill_gaps(step: Step, model: BertPretrainer, vectorizer, folder: Path) -> list[dict]:
    """Step 3: save the pretrained model, read it back, and let it fill gaps."""
    save_pretrained(model, folder, vectorizer)
    found = fill_mask(load_pretrained(folder), list(GAPS))
    for row in found:
        step.say(f"{row['text']}  →  {', '.join(guess['token'] for guess in row['masks'][0]['predictions'])}")
    return found


def finetune_classifier(
    step: Step, plan: TourPlan, data: LabeledDataset, encoder, vectorizer, seed: int, folder: Path, work: Path
):
    """Step 4: the encoder with a classifier on labelled sentences; returns the `BertClassifier` and its facts."""
    schedule = plan.finetune_epochs, plan.finetune_batch, plan.finetune_rate
    model, facts = _finetune(step, plan, data, encoder, vectorizer, seed, work / "finetuning", *schedule)
    save_pretrained(model, folder, vectorizer, labels=list(data.label_names))
    step.say(
        f"{facts['examples']:,} sentences; the best of {schedule[0]} epochs by {facts['held_out']:,} others is kept"
    )
    return model, facts


def _finetune(step, plan, data, encoder, vectorizer, seed, checkpoint_dir, epochs, batch_size, rate):
    keras.utils.set_random_seed(seed)
    model = BertClassifier(encoder, num_classes=len(data.label_names))
    rows, held_out = data.train_validation_split(seed)
    rows = rows[: plan.max_finetune]

    def part(indices):
        return vectorizer([data.train_texts[i] for i in indices]), data.train_labels[indices]

    history = finetune(
        model,
        *part(rows),
        *part(held_out),
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=rate,
        seed=seed,
        checkpoint_dir=checkpoint_dir,
        callbacks=[step.expect(epochs * -(-len(rows) // batch_size))],
        verbose=0,
    ).history
    return model, {"examples": len(rows), "held_out": len(held_out), "history": history}


def evaluate_classifier(step: Step, data: LabeledDataset, model: BertClassifier, vectorizer) -> dict:
    """Step 5: dev.tsv, which nothing was trained on or chosen by."""
    facts = evaluate(model, vectorizer(data.dev_texts), data.dev_labels)
    facts["majority"] = float(np.bincount(data.dev_labels).max() / len(data.dev_labels))
    step.say(
        f"accuracy {facts['accuracy']:.1%} on {facts['examples']:,} sentences "
        f"(always the commonest class: {facts['majority']:.1%})"
    )
    return facts


def start_from_shipped(step: Step, plan: TourPlan, data: LabeledDataset, seed: int, work: Path) -> dict | None:
    """Step 6: the same sentences on the encoder that ships, pretrained for hours; None where there is none."""
    if not is_bundled(ENCODER):
        step.say(f"{ENCODER} comes with a clone of the repository, and this installation has none")
        return None
    start = load_pretrained(ENCODER)
    encoder = start.encoder.copy(plan.dropout)
    vectorizer = BertTextVectorization(
        start.vocabulary, lowercase=start.lowercase, sequence_length=plan.sequence_length
    )
    schedule = plan.shipped_epochs, plan.finetune_batch, plan.shipped_rate
    model, facts = _finetune(step, plan, data, encoder, vectorizer, seed, work / "shipped", *schedule)
    found = evaluate(model, vectorizer(data.dev_texts), data.dev_labels)
    step.say(f"accuracy {found['accuracy']:.1%} from {ENCODER}, on the same {facts['examples']:,} sentences")
    return {"name": ENCODER, "parameters": model.count_params(), "finetuning": facts, "evaluation": found}
