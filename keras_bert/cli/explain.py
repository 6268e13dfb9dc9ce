"""`keras-bert explain`: attributions of a prediction, how faithful they are, and views of the layers and heads."""

import itertools
from pathlib import Path

import click

from keras_bert.catalog.bundled import SENTIMENT
from keras_bert.cli.explain_views import VIEWS
from keras_bert.cli.options import file_option, texts_argument
from keras_bert.cli.output import json_output, show_table
from keras_bert.cli.value_types import ModelSource, positive
from keras_bert.errors import InputError

METHODS = ("integrated_gradients", "gradient_x_input", "gradient", "occlusion")
MODES = ("mask", "delete")
SUFFIXES = (".html", ".svg", ".png")
FLAGS = {"groups": "group"}  # options with another name in `options`


@click.command()
@click.option(
    "--model",
    "folder",
    metavar="DIR|NAME|hf://NAME",
    type=ModelSource(),
    show_default=SENTIMENT,
    help="Folder of a fine-tuned model, or of a SavedModel of text that this package exported.",
)
@click.option(
    "--view",
    type=click.Choice(tuple(VIEWS)),
    default="attribution",
    show_default=True,
    help="What to show: " + "; ".join(f"{name}: {view.help}" for name, view in VIEWS.items()) + ".",
)
@click.option("--method", type=click.Choice(METHODS), show_default=METHODS[0], help="The attribution method.")
@click.option(
    "--target",
    metavar="NAME",
    help="The logit to explain: a class or its number; start or end of an answer; a token at the first [MASK]; TAG@N, "
    "a tag of token N.  [default: what the model predicts]",
)
@click.option("--steps", type=positive, show_default="50", help="Steps of integrated gradients and of conductance.")
@click.option("--layer", type=click.IntRange(min=0), help="Layer of integrated gradients.  [default: 0, embeddings]")
@click.option(
    "--mode", type=click.Choice(MODES), help="How a token is left out.  [default: mask; delete for the table]"
)
@click.option("--head", type=positive, help="Head of --view attention, from 1; --layer counts from 1 there.")
@click.option("--word", metavar="WORD", help="The word of --view context, which all texts have.")
@click.option(
    "--group", "groups", multiple=True, metavar="NAME", help="Group of a text, once per text, in their order."
)
@click.option("--pool", metavar="NAME", help="How --view similarity pools the tokens, as for embed.")
@click.option("--top-k", type=positive, help="Number of tokens that --view lens shows.")
@click.option("--special-tokens", is_flag=True, help="Count [CLS] and [SEP] in --view layers.")
@click.option("--other", metavar="DIR|NAME|hf://NAME", type=ModelSource(), help="The second model of --view cka.")
@click.option("--run", "run_dir", metavar="DIR", help="Write the page of a training run, from its --log-dir, to --out.")
@click.option("--out", "file", metavar="FILE", help="Write a page (.html) or, of one text, a figure (.svg, .png).")
@click.option("--faithfulness", is_flag=True, help="Print a table of all methods, measured on the texts of --data.")
@file_option("--data", "Texts for --faithfulness, in a labeled file, as for evaluate.")
@click.option("--limit", type=positive, help="Use only the first N texts of --data.")
@texts_argument(required=False)
@json_output
def explain(
    console, folder: str | None, view: str, run_dir, file, faithfulness: bool, data, limit, texts: list[str], **options
) -> dict:
    """Show which words of a text a prediction comes from, and what the layers and heads of a model compute.

    Blue words raise the logit of the target, orange words lower it; the numbers add up the scores of the tokens of a
    word. [CLS] and [SEP] are shown. The completeness error says how far the scores are from adding up to the change of
    the logit. A tab separates the two texts of a pair.

    --faithfulness compares the methods on many texts, with attention and random scores: comprehensiveness (how much
    the probability falls without the highest tokens), sufficiency (how much it falls with them alone), and the
    correlation with leaving out single tokens.

    Example:  keras-bert explain "a fine film , if a bit long"

    Example:  keras-bert explain --method occlusion --target negative --out page.html "not a bad film"

    Example:  keras-bert explain --view lens "the capital of france is [MASK] ."

    Example:  keras-bert explain --faithfulness --data dev.tsv --limit 50

    Example:  keras-bert explain --run runs/1 --out run.html
    """
    given = {name: value for name, value in options.items() if value not in (None, (), False)}
    if run_dir:
        return _run(
            console, run_dir, file, {**given, "faithfulness": faithfulness, "data": data, "limit": limit}, texts
        )
    _check(file, faithfulness, data, limit, texts)
    if faithfulness:
        return _faithfulness(console, folder or SENTIMENT, data, limit, given)
    chosen = VIEWS[view]
    for name in given:
        if name not in chosen.options:
            option = f"--{FLAGS.get(name, name.replace('_', '-'))}"
            raise InputError(f"`{option}` must be left out with --view {view}. Received: {option} {given[name]}")
    from keras_bert.inference.text_inputs import text_of_line
    from keras_bert.weights import load_pretrained

    rows = [text_of_line(text, i) for i, text in enumerate(texts, 1)]
    result = chosen.run(load_pretrained(folder or chosen.default or SENTIMENT), rows, given)
    if file:
        _write(Path(file), result)
    console.print(result.text, soft_wrap=True)
    if file:
        console.print(f"{file} written", markup=False, soft_wrap=True)
    return result.data


def _run(console, run_dir: str, file: str | None, others: dict, texts: list[str]) -> dict:
    """Write the page of a training run."""
    from keras_bert.cli.run_view import view_run

    for name, value in {**others, "TEXT": texts}.items():
        if value:
            raise click.UsageError(f"`{name}` must be left out with `--run`. Received: {name}={value!r:.60}")
    if not file or Path(file).suffix != ".html":
        raise click.UsageError(f"`--out` must be a file that ends in .html with `--run`. Received: --out {file}")
    return view_run(console, run_dir, file)


def _check(file, faithfulness: bool, data, limit, texts: list[str]) -> None:
    if faithfulness == bool(texts) or faithfulness != bool(data):
        received = ", ".join(
            name for name, value in (("TEXT", texts), ("--faithfulness", faithfulness), ("--data", data)) if value
        )
        raise click.UsageError(
            f"either `TEXT`, or `--faithfulness` with `--data`, must be given. Received: {received or 'none of them'}"
        )
    if not faithfulness and limit:
        raise click.UsageError(f"`--limit` must be left out without `--faithfulness`. Received: --limit {limit}")
    if file and faithfulness:
        raise click.UsageError(f"`--out` must be left out with `--faithfulness`. Received: --out {file}")
    if file and Path(file).suffix not in SUFFIXES:
        raise click.UsageError(f"`--out` must end in {', '.join(SUFFIXES)}. Received: --out {file}")
    if file and Path(file).is_dir():
        raise click.UsageError(f"`--out` must be a file. Received: --out {file}, a folder")


def _write(file: Path, result) -> None:
    """Write the page or the figure of a view."""
    from keras_bert.files import atomic_write

    content = result.html if file.suffix == ".html" else result.figure
    if content is None:
        raise InputError(
            f"`--out` must have another suffix: this view has no {file.suffix} of these texts. Received: {file}"
        )
    with atomic_write(file) as draft:
        if file.suffix == ".html":
            draft.write_text(content, encoding="utf-8")
        elif file.suffix == ".svg":
            draft.write_text(content.svg() + "\n", encoding="utf-8")
        else:
            content.figure.savefig(draft, format="png", dpi=150, facecolor="white")


def _faithfulness(console, folder: str, data: str, limit: int | None, options: dict) -> dict:
    """Print the table of `kb.explain.faithfulness`."""
    from keras_bert.explain import faithfulness
    from keras_bert.inference.progress import show_progress
    from keras_bert.inference.text_files import read_texts
    from keras_bert.weights import load_pretrained

    for name in sorted(set(options) - {"steps", "mode"}):
        raise InputError(f"`--{name}` must be left out with --faithfulness. Received: --{name} {options[name]}")
    texts = list(itertools.islice(read_texts(data, None, text_column=None, text_pair_column=None), limit))
    with show_progress("explaining", "texts", len(texts)) as advance:
        found = faithfulness(load_pretrained(folder), texts, progress=lambda: advance(1), **options)
    columns, rows = found.table()
    title = f"{data}: {found.count} texts, tokens left out by {found.settings['mode']}, 95 % bootstrap intervals"
    show_table(console, title, columns, rows, right=columns[1:])
    return found.to_dict()
