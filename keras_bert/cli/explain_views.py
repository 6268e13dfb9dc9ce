"""The views of `keras-bert explain`: each one computes something about a model and texts, and how to show it.

A new view is one function and one entry in `VIEWS`. Its function imports what it needs when it is called.
"""

import dataclasses
from collections.abc import Callable, Sequence

from rich.console import Group
from rich.text import Text

from keras_bert.catalog.bundled import SMALL
from keras_bert.cli import attention_views, geometry_views
from keras_bert.cli.view_result import ViewResult


@dataclasses.dataclass(frozen=True)
class ExplainOptions:
    """The options of the command that attributions may use.

    Attributes:
        method: the name of an attribution method.
        target: the logit to explain, as text; None for what the model predicts.
        steps: number of steps of integrated gradients and of conductance.
        layer: the layer of integrated gradients; None for the embedding layer.
        mode: how `occlusion` leaves out a token, `"mask"` or `"delete"`.
    """

    method: str = "integrated_gradients"
    target: str | None = None
    steps: int = 50
    layer: int | None = None
    mode: str = "mask"


@dataclasses.dataclass(frozen=True)
class View:
    """One view.

    Attributes:
        run: function of the loaded model, the texts (strings, or pairs of strings) and the given options by name.
        help: one line for the help of `--view`.
        options: the options of the command that it uses. Another option is an error.
        default: the name of the bundled model that it uses without `--model`; None for the classifier.
    """

    run: Callable[[object, Sequence, dict], ViewResult]
    help: str
    options: tuple[str, ...] = ()
    default: str | None = None


def attribution(pretrained, texts: Sequence, given: dict) -> ViewResult:
    """Show how much each token adds to the logit of the target."""
    from keras_bert.explain.attribution.colored_text import summary_line
    from keras_bert.explain.attribution.page import attribution_page
    from keras_bert.explain.attribution.plots import plot_attribution

    options = ExplainOptions(**given)
    explained, target = _open(pretrained, options)
    found = [_attribute(explained, text, target, options) for text in texts]
    lines = [part for each in found for part in (each, Text(summary_line(each), "dim"), _word_table(each))]
    figure = plot_attribution(found[0]) if len(found) == 1 else None
    return ViewResult(
        {"attributions": [each.to_dict() for each in found]}, Group(*lines), attribution_page(found), figure
    )


def conductance(pretrained, texts: Sequence, given: dict) -> ViewResult:
    """Show how much each position of each layer adds to the logit of the target."""
    from keras_bert.explain import layer_conductance
    from keras_bert.explain.attribution.page import layers_page
    from keras_bert.explain.attribution.plots import plot_layers

    options = ExplainOptions(**given)
    explained, target = _open(pretrained, options)
    found = [layer_conductance(explained, text, target, options.steps) for text in texts]
    lines = [part for each in found for part in (each, Text(_conductance_line(each), "dim"))]
    figure = plot_layers(found[0]) if len(found) == 1 else None
    return ViewResult({"conductance": [each.to_dict() for each in found]}, Group(*lines), layers_page(found), figure)


VIEWS: dict[str, View] = {
    "attribution": View(
        attribution, "the score of each token, by --method", ("method", "target", "steps", "layer", "mode")
    ),
    "conductance": View(conductance, "the score of each token at each layer", ("target", "steps")),
    "attention": View(attention_views.attention, "one head, a page with all", ("layer", "head"), SMALL),
    "heads": View(attention_views.heads, "all heads", (), SMALL),
    "statistics": View(attention_views.statistics, "what the heads attend to on average", (), SMALL),
    "rollout": View(attention_views.rollout, "attention through all layers, beside leaving tokens out"),
    "embeddings": View(geometry_views.embeddings, "the three embeddings and their sum", (), SMALL),
    "layers": View(geometry_views.layers, "how far each layer moves its input", ("special_tokens",), SMALL),
    "context": View(geometry_views.context, "one --word in several texts, by layer", ("word", "groups"), SMALL),
    "lens": View(geometry_views.lens, "what the masked-LM head predicts at each layer", ("top_k",), SMALL),
    "similarity": View(geometry_views.similarity, "cosines of texts, and a map", ("groups", "pool"), SMALL),
    "cka": View(geometry_views.cka, "how similar the layers are, also to those of --other", ("other",), SMALL),
}


def _open(pretrained, options: ExplainOptions) -> tuple:
    """Return the model to explain and the target: a name, or the number of a class that has no such name."""
    from keras_bert.explain.attribution.explained_model import open_explained

    explained, target = open_explained(pretrained), options.target
    known = explained.tokenizer.vocabulary if explained.kind == "pretrainer" else explained.labels or ()
    if target is not None and explained.kind == "token_classifier":
        tag, _, position = target.rpartition("@")
        return explained, (tag, int(position)) if position.isdecimal() else target
    if target is not None and target.isdecimal() and target not in known:
        target = int(target)
    return explained, target


def _attribute(explained, text, target, options: ExplainOptions):
    from keras_bert import explain
    from keras_bert.errors import InputError

    if options.layer is not None:
        if options.method != "integrated_gradients":
            raise InputError(f"`--layer` must be left out with this method. Received: --method {options.method}")
        return explain.layer_integrated_gradients(explained, text, target, options.steps, options.layer)
    if options.method == "integrated_gradients":
        return explain.integrated_gradients(explained, text, target, options.steps)
    if options.method == "occlusion":
        return explain.occlusion(explained, text, target, options.mode)
    return getattr(explain, options.method)(explained, text, target)


def _word_table(attribution) -> Text:
    """Return the words and their scores, the largest first, as lines of text that any terminal can show."""
    pairs = sorted(zip(attribution.words, attribution.word_scores, strict=True), key=lambda pair: -abs(pair[1]))
    return Text("".join(f"{score:+8.3f}  {' '.join(word.split())}\n" for word, score in pairs))


def _conductance_line(layers) -> str:
    first, largest = layers.layers[0], 100 * layers.completeness_errors.max()
    return (
        f"{first.method} ({first.settings['steps']} steps), target {first.target.name}: logit {first.value:.3f}, at "
        f"the baseline {first.baseline_value:.3f}, completeness error of the layers at most {largest:.2g} %\n"
    )
