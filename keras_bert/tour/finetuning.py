"""Steps 4 to 6 of the tour: fine-tuning and evaluation, then the same for the bundled encoder."""

from pathlib import Path

import keras
import numpy as np

from keras_bert.catalog.bundled import ENCODER, is_bundled
from keras_bert.data import LabeledDataset
from keras_bert.inference.evaluate import evaluate
from keras_bert.metrics.baseline import tfidf_accuracy
from keras_bert.models import BertClassifier
from keras_bert.text import BertTextVectorization
from keras_bert.tour.plan import TourPlan
from keras_bert.tour.steps import Step
from keras_bert.training import finetune
from keras_bert.weights import load_pretrained, save_pretrained


def finetune_classifier(
    step: Step, plan: TourPlan, data: LabeledDataset, encoder, vectorizer, seed: int, folder: Path, work: Path
):
    """Step 4: fine-tune the encoder with a classifier on the labeled sentences.

    Returns:
        The `BertClassifier`, and a dict of what was measured.
    """
    settings = {"epochs": plan.finetune_epochs, "learning_rate": plan.finetune_learning_rate}
    model, facts = _finetune(step, plan, data, encoder, vectorizer, seed, work / "finetuning", **settings)
    save_pretrained(model, folder, vectorizer, labels=list(data.label_names))
    step.add_line(
        f"{facts['examples']:,} training sentences; {facts['validation_examples']:,} more to select the best of "
        f"{plan.finetune_epochs} epochs"
    )
    return model, facts


def _finetune(step, plan, data, encoder, vectorizer, seed, checkpoint_dir, epochs, learning_rate):
    """Fine-tune an encoder with a new head; return the `BertClassifier` and a dict of what was measured."""
    keras.utils.set_random_seed(seed)
    model = BertClassifier(encoder, num_classes=len(data.label_names))
    train, validation = _split(plan, data, seed)

    def rows(indices):
        return vectorizer([data.train_texts[i] for i in indices]), data.train_labels[indices]

    history = finetune(
        model,
        *rows(train),
        *rows(validation),
        epochs=epochs,
        batch_size=plan.finetune_batch,
        learning_rate=learning_rate,
        seed=seed,
        checkpoint_dir=checkpoint_dir,
        callbacks=[step.expect(epochs * -(-len(train) // plan.finetune_batch))],
        verbose=0,
    ).history
    return model, {"examples": len(train), "validation_examples": len(validation), "history": history}


def _split(plan: TourPlan, data: LabeledDataset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training and of the validation sentences."""
    train, validation = data.train_validation_split(seed)
    return train[: plan.max_finetune], validation


def evaluate_classifier(
    step: Step, plan: TourPlan, data: LabeledDataset, model: BertClassifier, vectorizer, seed: int
) -> dict:
    """Step 5: evaluate on dev.tsv, and compare with TF-IDF and logistic regression on the same training sentences."""
    facts = evaluate(model, vectorizer(data.dev_texts), data.dev_labels)
    train, _ = _split(plan, data, seed)
    train_texts = [data.train_texts[i] for i in train]
    facts["majority"] = float(np.bincount(data.dev_labels).max() / len(data.dev_labels))
    facts["tfidf"] = tfidf_accuracy(train_texts, data.train_labels[train], data.dev_texts, data.dev_labels)
    step.add_line(f"accuracy {facts['accuracy']:.1%} on {facts['examples']:,} dev sentences")
    step.add_line(
        f"TF-IDF with logistic regression: {facts['tfidf']:.1%}; most frequent class: {facts['majority']:.1%}"
    )
    return facts


def finetune_bundled_encoder(step: Step, plan: TourPlan, data: LabeledDataset, seed: int, work: Path) -> dict | None:
    """Step 6: fine-tune the bundled encoder on the same sentences; return None if it is not installed."""
    if not is_bundled(ENCODER):
        step.add_line(f"{ENCODER} is not part of this installation")
        return None
    pretrained = load_pretrained(ENCODER)
    encoder = pretrained.encoder.copy(plan.dropout)
    vectorizer = BertTextVectorization(
        pretrained.vocabulary, lowercase=pretrained.lowercase, sequence_length=plan.sequence_length
    )
    settings = {"epochs": plan.bundled_epochs, "learning_rate": plan.bundled_learning_rate}
    model, facts = _finetune(step, plan, data, encoder, vectorizer, seed, work / "bundled", **settings)
    evaluation = evaluate(model, vectorizer(data.dev_texts), data.dev_labels)
    step.add_line(f"accuracy {evaluation['accuracy']:.1%} with {ENCODER}, fine-tuned on the same sentences")
    return {"name": ENCODER, "parameters": model.count_params(), "finetuning": facts, "evaluation": evaluation}
