"""Precision, recall and F1 of entities, as in the CoNLL shared tasks, and of tags that mark no entities."""

import collections
from collections.abc import Iterable, Sequence

from keras_bert.errors import InputError
from keras_bert.metrics.tag_scheme import OUTSIDE, TagScheme, find_scheme, without_scheme

AVERAGED = ("precision", "recall", "f1")


def extract_entities(tags: Sequence[str], scheme: TagScheme | None = None) -> list[tuple[str, int, int]]:
    """Return the entities that the tags of a sentence mark.

    A tag is `O`, or a letter and an entity type: `B-` (begin), `I-` (inside), `E-` (end), `S-` (single word), or the
    letters of another scheme, see `find_scheme`. An `I-` or `E-` tag that follows no word of the same entity begins an
    entity, as in `conlleval`, so the tags of IOB1 and IOB2 both give the entities that they mean.

    Args:
        tags: sequence of strings, one per word.
        scheme: the scheme of the tags. None stands for `find_scheme(tags)`.

    Returns:
        A list of (entity type, index of the first word, index after the last word).

    Raises:
        InputError: the tags have no scheme.

    Example:

    >>> extract_entities(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
    [('PER', 0, 2), ('LOC', 3, 4), ('LOC', 4, 5)]

    Source: conlleval of the CoNLL-2000 shared task; seqeval gives the same entities.
    """
    scheme = scheme or _required_scheme(tags)
    entities, start, previous, previous_type = [], 0, OUTSIDE, ""
    for index, tag in enumerate([*tags, OUTSIDE]):
        letter, entity_type = scheme.split(tag)
        new_type = entity_type != previous_type
        if previous != "O" and (letter in ("O", "B", "S") or previous in ("E", "S") or new_type):
            entities.append((previous_type, start, index))
        if letter != "O" and (letter in ("B", "S") or previous in ("O", "E", "S") or new_type):
            start = index
        previous, previous_type = letter, entity_type
    return entities


def tag_metrics(expected: list, predicted: list, tag_names: Iterable[str] | None = None) -> dict:
    """Compute the metrics of tagged sentences: those of entities, or of the tags if these have no scheme.

    Args:
        expected, predicted: as in `entity_f1`.
        tag_names: all tags of the model. None stands for the tags in `expected` and `predicted`.

    Returns:
        What `entity_f1` returns. For tags without a scheme, such as parts of speech: `accuracy`; `macro_` and
        `weighted_` averages of `precision`, `recall` and `f1` over the tags; `tags`, a dict of each tag to its
        precision, recall, F1 and number of `words`.

    Raises:
        InputError: the lengths differ.

    Example:

    >>> tag_metrics([["DT", "NN"]], [["DT", "VB"]])["accuracy"], tag_metrics([["DT", "NN"]], [["DT", "NN"]])["tags"]
    (0.5, {'DT': {'precision': 1.0, 'recall': 1.0, 'f1': 1.0, 'words': 1},
           'NN': {'precision': 1.0, 'recall': 1.0, 'f1': 1.0, 'words': 1}})

    Source: `classification_report` of scikit-learn, for the metrics of tags.
    """
    names = {tag for part in (expected, predicted) for tags in part for tag in tags} if tag_names is None else tag_names
    scheme = find_scheme(names)
    if scheme is not None:
        return entity_f1(expected, predicted, scheme)
    pairs = _pairs(expected, predicted)
    rates = _rates_by_name((({a}, {b}) for a, b in pairs), "words")
    found = {"accuracy": _accuracy(pairs), **_averages(rates, "words"), "tags": rates}
    if odd := without_scheme(names):
        found |= {"f1": None, "notes": {"f1": f"needs a scheme in all tags, unlike {odd[0][:40]!r}"}}
    return found


def entity_f1(expected: list, predicted: list, scheme: TagScheme | None = None) -> dict:
    """Compute precision, recall and F1 of entities. A predicted entity is correct if its words and type are.

    Args:
        expected: list of lists of tags, one list per sentence.
        predicted: list of lists of tags of the same lengths.
        scheme: the scheme of the tags. None stands for that of all tags, see `find_scheme`.

    Returns:
        A dict: `precision`, `recall` and `f1` over all entities, each in [0, 1]; `entities`, the number of expected
        entities; `accuracy` of the tags; `macro_` and `weighted_` averages over the entity types; `types`, a dict of
        entity type to its precision, recall, F1 and entities.

    Raises:
        InputError: the lengths differ, or the tags have no scheme.

    Example:

    >>> round(entity_f1([["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]])["f1"], 4)
    0.6667

    Source: Tjong Kim Sang and De Meulder 2003 (CoNLL-2003), section 4; seqeval gives the same values.
    """
    pairs = _pairs(expected, predicted)
    scheme = scheme or _required_scheme({tag for pair in pairs for tag in pair})
    entities = [
        tuple(set(extract_entities(tags, scheme)) for tags in sentence)
        for sentence in zip(expected, predicted, strict=True)
    ]
    rates = _rates_by_name(entities, "entities", name_of=lambda entity: entity[0])
    totals = (sum(len(a & b) for a, b in entities), *(sum(len(each[i]) for each in entities) for i in (1, 0)))
    return {
        **_rates(*totals, "entities"),
        "accuracy": _accuracy(pairs),
        **_averages(rates, "entities"),
        "types": rates,
    }


def _required_scheme(tags: Iterable[str]) -> TagScheme:
    tags = set(tags)
    scheme = find_scheme(tags)
    if scheme is None:
        odd = (without_scheme(tags) or sorted(tags - {OUTSIDE}))[0]
        raise InputError(f"`tags` must have a scheme, such as B-PER, I-PER and O. Received: {odd[:40]!r}")
    return scheme


def _pairs(expected: list, predicted: list) -> list[tuple[str, str]]:
    """Return the expected and the predicted tag of each word, or raise InputError."""
    if [len(tags) for tags in expected] != [len(tags) for tags in predicted]:
        raise InputError(
            f"`predicted` must have one tag per word of each of the {len(expected)} sentences. "
            f"Received: {len(predicted)} sentences, {sum(map(len, predicted))} tags, expected {sum(map(len, expected))}"
        )
    return [pair for tags in zip(expected, predicted, strict=True) for pair in zip(*tags, strict=True)]


def _accuracy(pairs: list[tuple[str, str]]) -> float:
    return sum(a == b for a, b in pairs) / max(1, len(pairs))


def _rates_by_name(sets: Iterable[tuple[set, set]], unit: str, name_of=lambda each: each) -> dict[str, dict]:
    """Return the rates of each name over pairs of an expected and a predicted set."""
    counts: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0, 0])  # correct, predicted, expected
    for expected, predicted in sets:
        for i, found in enumerate((expected & predicted, predicted, expected)):
            for each in found:
                counts[name_of(each)][i] += 1
    return {name: _rates(*count, unit) for name, count in sorted(counts.items())}


def _rates(correct: int, predicted: int, expected: int, unit: str) -> dict:
    precision, recall = correct / max(1, predicted), correct / max(1, expected)
    total = precision + recall
    f1 = 2 * precision * recall / total if total else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, unit: expected}


def _averages(rates: dict[str, dict], unit: str) -> dict:
    """Return the means over the names, and the means weighted with the numbers of expected entities or words."""
    total, rows = sum(row[unit] for row in rates.values()), rates.values()
    macro = {f"macro_{key}": sum(row[key] for row in rows) / max(1, len(rates)) for key in AVERAGED}
    return macro | {f"weighted_{key}": sum(row[key] * row[unit] for row in rows) / max(1, total) for key in AVERAGED}
