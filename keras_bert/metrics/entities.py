"""Extraction of entities from tags, and their precision, recall and F1 as in the CoNLL shared tasks."""

import collections

from keras_bert.errors import InputError


def extract_entities(tags) -> list[tuple[str, int, int]]:
    """Return the entities that the tags of a sentence mark.

    A tag is `O`, or a prefix and an entity type: `B-` (begin), `I-` (inside), `E-` (end), `S-` (single word). An `I-`
    or `E-` tag that follows no word of the same entity begins an entity, as in `conlleval`.

    Args:
        tags: sequence of strings, one per word.

    Returns:
        A list of (entity type, index of the first word, index after the last word).

    Example:

    >>> extract_entities(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
    [('PER', 0, 2), ('LOC', 3, 4), ('LOC', 4, 5)]

    Source: conlleval of the CoNLL-2000 shared task.
    """
    entities, start, previous, previous_type = [], 0, "O", ""
    for index, tag in enumerate([*tags, "O"]):
        prefix, _, entity_type = tag.partition("-")
        new_type = entity_type != previous_type
        if previous != "O" and (prefix in ("O", "B", "S") or previous in ("E", "S") or new_type):
            entities.append((previous_type, start, index))
        if prefix != "O" and (prefix in ("B", "S") or previous in ("O", "E", "S") or new_type):
            start = index
        previous, previous_type = prefix, entity_type
    return entities


def entity_f1(expected: list, predicted: list) -> dict:
    """Compute precision, recall and F1 of entities. A predicted entity is correct if its words and type are.

    Args:
        expected: list of lists of tags, one list per sentence.
        predicted: list of lists of tags of the same lengths.

    Returns:
        A dict: `precision`, `recall` and `f1` over all entities, each in [0, 1]; `entities`, the number of expected
        entities; `accuracy` of the tags; `types`, a dict of entity type to its precision, recall, F1 and entities.

    Raises:
        InputError: the lengths differ.

    Example:

    >>> round(entity_f1([["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]])["f1"], 4)
    0.6667

    Source: Tjong Kim Sang and De Meulder 2003 (CoNLL-2003), section 4; seqeval gives the same values.
    """
    if [len(tags) for tags in expected] != [len(tags) for tags in predicted]:
        raise InputError(
            f"`predicted` must have one tag per word of each of the {len(expected)} sentences. "
            f"Received: {len(predicted)} sentences, {sum(map(len, predicted))} tags, expected {sum(map(len, expected))}"
        )
    counts: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0, 0])  # correct, predicted, expected
    for expected_tags, predicted_tags in zip(expected, predicted, strict=True):
        expected_entities, predicted_entities = (set(extract_entities(t)) for t in (expected_tags, predicted_tags))
        correct_entities = expected_entities & predicted_entities
        for i, entities in enumerate((correct_entities, predicted_entities, expected_entities)):
            for entity_type, _, _ in entities:
                counts[entity_type][i] += 1
    pairs = [pair for tags in zip(expected, predicted, strict=True) for pair in zip(*tags, strict=True)]
    total = [sum(count[i] for count in counts.values()) for i in range(3)]
    return {
        **_rates(*total),
        "accuracy": sum(a == b for a, b in pairs) / max(1, len(pairs)),
        "types": {entity_type: _rates(*count) for entity_type, count in sorted(counts.items())},
    }


def _rates(correct: int, predicted: int, expected: int) -> dict:
    precision, recall = correct / max(1, predicted), correct / max(1, expected)
    total = precision + recall
    f1 = 2 * precision * recall / total if total else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "entities": expected}
