"""`keras-bert playground`: a local page that shows what the models compute."""

import click

from keras_bert.catalog.bundled import ENCODER, SENTIMENT
from keras_bert.cli.output import json_output
from keras_bert.cli.value_types import ModelSource


def _model_option(name: str, parameter: str, default: str | None, help_text: str):
    """Create an option for one of the models."""
    settings = {"default": default, "show_default": default is not None, "metavar": "DIR|NAME|hf://NAME"}
    return click.option(name, parameter, type=ModelSource(), help=help_text, **settings)


@click.command()
@_model_option("--model", "encoder", ENCODER, "Pretrained model: masked tokens, similar sentences, the logit lens.")
@_model_option("--classifier", "classifier", SENTIMENT, "Classifier of texts: sentiment, explanations and attention.")
@_model_option("--spans", "spans", None, "Model of answers in a text, for the panel of questions.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port on 127.0.0.1; 0 for any free one.",
)
@json_output
def playground(console, encoder: str, classifier: str, spans: str | None, port: int) -> dict:
    """Open a local page with tokens, masked tokens, sentiment, similar sentences, attention and more.

    The server accepts connections from this machine only, and the page makes no request to any other host. Ctrl-C ends
    it.

    Example:  keras-bert playground

    Example:  keras-bert playground --spans answers --port 0
    """
    from keras_bert import ops
    from keras_bert.extras import require
    from keras_bert.playground.server import bind, serve

    for package in ("starlette", "uvicorn"):  # before the models are loaded
        require(package, "the playground")
    listener = bind(port)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def show(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    def load():
        from keras_bert.playground.models import load_models
        from keras_bert.playground.panels import PANELS

        ops.partition_cpu_threads()
        show(f"loading {encoder} and {classifier}")
        models = load_models(encoder, classifier, spans)
        models.warm_up(PANELS, show)
        return models, PANELS

    serve(load, listener, lambda: show(f"playground: {address}  (Ctrl-C ends it)"))
    return {"address": address}
