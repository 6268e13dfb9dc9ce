"""The options of `keras-bert finetune`."""

import click

from keras_bert.cli.completion import complete, completer, task_names
from keras_bert.cli.options import data_options, encoder_option, size_option, vocabulary_options
from keras_bert.cli.training_options import training_options
from keras_bert.cli.value_types import FiniteRange, ModelSource, positive
from keras_bert.constants import POOLS, SAMPLES


class Freeze(click.ParamType):
    """`none`, `all`, `gradual`, or the number of frozen blocks."""

    name = "freeze"

    def shell_complete(self, context, param, incomplete):
        """Complete the names."""
        return complete(incomplete, ("none", "all", "gradual"))

    def convert(self, value, param, context):
        """Return the value as `kb.finetune` takes it."""
        if value in ("none", "all", "gradual") or isinstance(value, int):
            return value
        if not value.isdecimal():
            self.fail(f"must be none, all, gradual or a number of blocks. Received: {value!r}", param, context)
        return int(value)


OPTIONS = (
    encoder_option(),
    size_option(None),
    click.option(
        "--dataset",
        required=True,
        metavar="sample|sst2|FOLDER|hf://NAME|tfds:NAME",
        shell_complete=completer(*SAMPLES, "sst2", paths="dir"),
        help="Labeled examples. A folder contains train.tsv and dev.tsv (a header line, then sentence<TAB>label or two "
        "texts and a label; also .csv, .jsonl, .parquet), or the files of the task. hf://org/name:config is a dataset "
        "of the Hugging Face Hub, tfds:name/config one of TensorFlow Datasets. Bundled: sample (film reviews), "
        "sample-messages and sample-pairs, sample-questions for --task spans, sample-entities for --task tokens.",
    ),
    data_options,
    click.option(
        "--labels", metavar="NAME,NAME,...", help="Names of the classes, labels or tags.  [default: from the data]"
    ),
    click.option(
        "--task",
        "task_name",
        default="classification",
        show_default=True,
        metavar="|".join(task_names()),
        shell_complete=completer(*task_names()),
        help="classification: one class per text or pair. binary: one of two classes, with one logit. multi-label: "
        "any number of labels, separated by commas. regression: a number. spans: answers that are part of a context "
        "(train.json, dev.json as in SQuAD). tokens: one tag per word (train.txt, dev.txt as in CoNLL). features: one "
        "class, but only the head is trained, on features that the encoder computes once.",
    ),
    click.option(
        "--pool",
        type=click.Choice(POOLS),
        default="max",
        show_default=True,
        help="For --task features: how the vectors of the tokens become one vector; see embed --help.",
    ),
    click.option(
        "--epochs", type=positive, help="Passes over the training data.  [default: 3; 100 for --task features]"
    ),
    click.option(
        "--held-out",
        type=FiniteRange(0, 0.5, min_open=True),
        default=0.05,
        show_default=True,
        help="Fraction of the training examples that is used to select the best epoch.",
    ),
    click.option(
        "--calibrate",
        is_flag=True,
        help="Divide the logits by the temperature with the lowest loss on the held-out examples, so that "
        "probabilities are as high as they are often correct. For --task classification, binary and features.",
    ),
    click.option(
        "--sequence-length",
        type=click.IntRange(min=3),
        help="Tokens per row, at most.  [default: 128; 384 for --task spans]",
    ),
    click.option(
        "--freeze",
        type=Freeze(),
        default="none",
        show_default=True,
        metavar="none|all|gradual|K",
        help="What is not trained: the whole encoder, or the embeddings and the first K blocks. gradual: one more "
        "block is trained each epoch, from the last one to the first.",
    ),
    click.option(
        "--layer-decay",
        type=FiniteRange(0, 1, min_open=True),
        default=1.0,
        show_default=True,
        help="The learning rate of each layer is that of the layer above it, times this factor.",
    ),
    click.option(
        "--dropout",
        type=FiniteRange(0, 1, max_open=True),
        help="Dropout rate of the encoder and the head.  [default: 0.1 with --size, that of the model with --encoder]",
    ),
    click.option(
        "--teacher-logits",
        type=ModelSource(files=True),
        multiple=True,
        metavar="FILE|DIR|NAME|hf://NAME",
        help="Learn from a teacher as well: a .npy or .npz file with its logits for the rows of the training file, or "
        "the folder, name or address of a classifier of this package or of transformers. The logits of several "
        "teachers are averaged. For --task classification.",
    ),
    vocabulary_options,
    training_options(
        "finetune",
        *("temperature", "alpha"),
        learning_rate={
            "default": None,
            "help": "Peak learning rate.  [default: 5e-5 with --encoder, 3e-4 with --size; 1e-3 for --task features]",
        },
    ),
)


def finetune_options(command):
    """Add all options to the command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
