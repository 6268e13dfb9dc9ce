"""The task of token classification: one tag per word, such as named entities or parts of speech."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_bert.data.conll import TaggedSentence, find_conll_files, load_conll
from keras_bert.data.table import check_label_names
from keras_bert.errors import InputError
from keras_bert.metrics import accuracy, cross_entropy, extract_entities, find_scheme, tag_metrics
from keras_bert.metrics.tag_scheme import OUTSIDE
from keras_bert.tasks.classification import check_range
from keras_bert.tasks.objectives import class_objective
from keras_bert.tasks.registry import register_task
from keras_bert.tasks.task import Task, reject_top_k
from keras_bert.tasks.task_data import TaskData, TrainedModel, check_at_least_two
from keras_bert.tasks.word_rows import word_rows

IGNORED = -1  # marks tokens without a label: all but the first token of each word


@dataclasses.dataclass(frozen=True)
class TokensTask(Task):
    """Token classification with a `BertTokenClassifier`. An example is a `TaggedSentence`.

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3; Tjong Kim Sang and De Meulder 2003 (CoNLL-2003).
    """

    data_files: tuple[str, str] = ("train.txt", "dev.txt")
    per_token: bool = True
    report_options: tuple[str, ...] = ("label_names",)
    data_options: tuple[str, ...] = ("tag_column", "skip_malformed")
    columns: tuple[str, ...] = ("entities", "text")

    def load(self, dataset: str, label_names: Sequence[str] | None = None, **options) -> TaskData:
        """Read `train.txt` and `dev.txt`, or `"sample-entities"`, see `find_conll_files` and `load_conll`."""
        paths = find_conll_files(dataset)
        train, dev = (load_conll(path, **options) for path in paths)
        names = tuple(check_label_names(label_names or sorted({tag for each in train for tag in each.tags})))
        if len(names) < 2:
            raise InputError(f"`dataset` must have at least two tags. Received: {len(names)} in {paths[0]}")
        for path, part in zip(paths, (train, dev), strict=True):
            check_tags(part, names, path)
        check_at_least_two(len(train), "sentences", paths[0])
        return TaskData(str(dataset), train, dev, [" ".join(each.words) for each in train], names)

    def read(self, path, labels: Sequence[str] | None, **options) -> list[TaggedSentence]:
        """Read a file of words and tags; the tags must be among the labels."""
        sentences = load_conll(path, **options)
        check_tags(sentences, labels, path)
        return sentences

    def build_model(self, encoder, data: TaskData, **options):
        """Return a `BertTokenClassifier` with the dropout rate of the encoder."""
        from keras_bert.models import BertTokenClassifier

        return BertTokenClassifier(encoder, len(data.label_names), encoder.config.hidden_dropout)

    def train_validation_rows(self, data: TaskData, preprocessor, seed: int, fraction: float) -> tuple[tuple, tuple]:
        """Split the sentences at random into two parts. Labels are at the first token of each word."""
        order = np.random.default_rng(seed).permutation(len(data.train))
        validation_size = max(1, round(fraction * len(order)))
        return tuple(
            tag_rows([data.train[i] for i in part], data.label_names, preprocessor)
            for part in (order[validation_size:], order[:validation_size])
        )

    def targets(self, model, ids: dict, labels) -> tuple:
        """Check class ids, int `[N, T]` with -1 for tokens without a label. Return them with weights of 0 or 1."""
        labels, shape = np.asarray(labels), ids["input_word_ids"].shape
        if labels.shape != shape or not np.issubdtype(labels.dtype, np.integer):
            raise InputError(
                f"`labels` must be integers with one entry per token, of shape {list(shape)}, {IGNORED} for tokens "
                f"without a label. Received: shape={labels.shape}, dtype={labels.dtype}"
            )
        check_range(labels, IGNORED, model.num_classes - 1)
        labeled = labels != IGNORED  # [N, T]
        return np.where(labeled, labels, 0).astype(np.int32), labeled.astype(np.float32)

    def compute_metrics(self, outputs, targets, weights) -> dict:
        """Compute accuracy and loss over the tokens with a label, and their number."""
        labeled = weights > 0  # [N, T]
        if not labeled.any():
            raise InputError(f"`labels` must have at least one entry other than {IGNORED}. Received: none")
        return {
            "accuracy": accuracy(targets[labeled], outputs[labeled].argmax(-1)),
            "loss": float(cross_entropy(outputs[labeled], targets[labeled]).mean()),
            "tokens": int(labeled.sum()),
        }

    def report(self, outputs, targets, weights, label_names=None) -> dict:
        """Compute accuracy and loss over tokens and, with the names of the tags, `tag_metrics`.

        The entities are found within rows: one that continues in the next row of a long sentence counts as two.
        """
        metrics = self.compute_metrics(outputs, targets, weights)
        if label_names is None:
            return metrics
        names = check_label_names([str(name) for name in label_names])
        if len(names) != outputs.shape[-1]:
            raise InputError(
                f"`label_names` must be {outputs.shape[-1]} names, one per tag. Received: {len(names)} names"
            )
        tags = [
            [[names[i] for i in row[kept]] for row, kept in zip(ids, weights > 0, strict=True)]
            for ids in (targets, outputs.argmax(-1))
        ]
        return {**tag_metrics(*tags, names), **metrics}

    def evaluate(self, trained: TrainedModel, examples: Sequence[TaggedSentence]) -> dict:
        """Compute the accuracy of tags, and precision, recall and F1 of entities or, without a scheme, of tags."""
        predicted = predict_tags(trained, [each.words for each in examples])
        return {
            **tag_metrics([each.tags for each in examples], predicted, trained.labels),
            "examples": len(examples),
        }

    def predict(self, trained: TrainedModel, texts: list, top_k: int | None = None) -> list[dict]:
        """Return words, one tag per word, and entities; none where the tags have no scheme (`find_scheme`).

        Words are separated by whitespace.
        """
        reject_top_k(top_k)
        for text in texts:
            if isinstance(text, tuple):
                raise InputError(f"`texts` must be single texts for this model. Received: a pair, {text[0][:40]!r}")
        sentences = [text.split() for text in texts]
        scheme = find_scheme(trained.labels or ())
        predictions = []
        for words, tags in zip(sentences, predict_tags(trained, sentences), strict=True):
            entities = [
                {"text": " ".join(words[start:end]), "label": label, "start": start, "end": end}
                for label, start, end in (extract_entities(tags, scheme) if scheme else ())
            ]
            predictions.append({"words": words, "tags": tags, "entities": entities})
        return predictions

    def cells(self, prediction: dict) -> tuple:
        """Return the entities, or the tags if they have no scheme, and the text."""
        entities = ", ".join(f"{each['text']} ({each['label']})" for each in prediction["entities"])
        tags = " ".join(prediction["tags"]) if set(prediction["tags"]) - {OUTSIDE} else "none"
        return entities or tags, " ".join(prediction["words"])

    def example_text(self, data: TaskData) -> str:
        """Return a sentence with entities, quoted for a shell."""
        return '"John lives in London"'


def check_tags(sentences: Sequence[TaggedSentence], labels: Sequence[str], path) -> None:
    """Raise InputError if a sentence of a file has a tag that is not among the labels."""
    unknown = next((tag for each in sentences for tag in each.tags if tag not in labels), None)
    if unknown is not None:
        shown = ", ".join(labels[:8]) + (", …" if len(labels) > 8 else "")
        raise InputError(f"`tags` of {path} must be among {shown}. Received: {unknown[:40]!r}")


def tag_rows(sentences: Sequence[TaggedSentence], labels: Sequence[str], preprocessor) -> tuple[dict, np.ndarray]:
    """Return the ids, and the class ids of the tags at the first token of each word, int32 `[R, T]`, -1 elsewhere."""
    ids, positions = word_rows([each.words for each in sentences], preprocessor)
    class_ids = np.full(ids["input_word_ids"].shape, IGNORED, np.int32)
    for sentence, first_tokens in zip(sentences, positions, strict=True):
        for tag, position in zip(sentence.tags, first_tokens, strict=True):
            if position is not None:
                class_ids[position] = labels.index(tag)
    return ids, class_ids


def predict_tags(trained: TrainedModel, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return one tag per word; `O`, or the first label, for words without tokens.

    Args:
        trained: `TrainedModel` of a `BertTokenClassifier`.
        sentences: list of lists of words.
    """
    ids, positions = word_rows(sentences, trained.preprocessor)
    logits = trained.outputs(ids)  # [R, T, C]
    predicted = logits.argmax(-1)  # [R, T]
    labels = trained.labels or [str(i) for i in range(logits.shape[-1])]
    outside = OUTSIDE if OUTSIDE in labels else labels[0]
    return [
        [labels[predicted[position]] if position else outside for position in first_tokens]
        for first_tokens in positions
    ]


register_task(
    TokensTask(
        name="tokens",
        kind="token_classifier",
        objective=class_objective,
    )
)
