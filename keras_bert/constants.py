"""Names shared across the package. This module imports nothing, so that the command line starts fast."""

INPUT_KEYS = ("input_word_ids", "input_mask", "input_type_ids")  # TF-Hub's names
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SENTENCE_TASKS = ("next", "order")  # BERT's next sentence prediction, ALBERT's sentence order prediction
PROBLEM_TYPES = ("single_label", "multi_label", "regression")  # kinds of labels
CLASSIFIER_TYPES = ("single_label", "binary", "multi_label", "regression")  # kinds of heads
POOLS = ("mean", "max", "cls", "pooled", "second-to-last", "sum4", "last4")

# The bundled samples with labels: the name, and the files for training and for evaluation in `data/sample`.
SAMPLES = {
    "sample": ("reviews_train.tsv", "reviews_dev.tsv"),
    "sample-messages": ("messages_train.tsv", "messages_dev.tsv"),
    "sample-pairs": ("pairs_train.tsv", "pairs_dev.tsv"),
    "sample-questions": ("questions_train.json", "questions_dev.json"),
    "sample-entities": ("entities_train.txt", "entities_dev.txt"),
}

# Files in the log folder of a run, beside those of TensorBoard. `training` writes them, `explain` reads them.
FILL_MASK_FILE, PREDICTIONS_FILE = "fill_mask.jsonl", "predictions.json"
