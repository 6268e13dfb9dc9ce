"""Names that several parts of the package share; nothing here imports Keras."""

INPUT_KEYS = ("input_word_ids", "input_mask", "input_type_ids")  # as TF-Hub's BERT names them
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SENTENCE_TASKS = ("next", "order")  # BERT's next sentence, ALBERT's sentence order
PROBLEM_TYPES = ("single_label", "multi_label", "regression")
POOLS = ("mean", "max", "cls", "pooled", "second-to-last", "sum4", "last4")
