"""`keras-bert explain`: its results equal those of the library, and bad input is one line."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.explain import METHODS
from keras_bert.cli.explain_views import VIEWS
from keras_bert.explain.attribution.methods import METHODS as LIBRARY_METHODS
from tests.cli.command_line import assert_error, results_of, write_tsv

TEXT = "a fine <b>film</b>"


def test_attribution_equals_the_library(call, models):
    options = ("--model", models.classifier, "--method", "occlusion", "--mode", "delete", "--target", "negative")
    found = results_of(call("explain", *options, TEXT, "no fun", "--json"))["attributions"]
    loaded = kb.load_pretrained(models.classifier)
    for row, text in zip(found, (TEXT, "no fun"), strict=True):
        expected = kb.explain.occlusion(loaded, text, "negative", "delete").to_dict()
        scores = [[token.pop("score") for token in each["tokens"]] for each in (row, expected)]
        np.testing.assert_allclose(*scores, atol=1e-6)
        assert row["target"]["name"] == "negative" and row["tokens"] == expected["tokens"]


def test_served_models_and_pages(call, models, tmp_path):
    """A SavedModel that takes text is explained too; the page and the figure are written."""
    page, figure = tmp_path / "page.html", tmp_path / "figure.svg"
    result = call("explain", "--model", models.served, "--steps", "5", "--out", page, TEXT)
    assert result.status == 0, result.err
    assert TEXT in result.out and "[CLS]" in result.out and "completeness error" in result.out
    assert "&lt;" in page.read_text("utf-8") and "<b>" not in page.read_text("utf-8")
    result = call("explain", "--model", models.served, "--view", "conductance", "--steps", "5", "--out", figure, TEXT)
    assert result.status == 0 and figure.read_text("utf-8").startswith("<svg")


def test_conductance_and_layers(call, models):
    model = ("--model", models.classifier, "--steps", "9", "--target", "1", "--json")
    found = results_of(call("explain", *model, "--view", "conductance", TEXT))["conductance"][0]
    loaded = kb.load_pretrained(models.classifier)
    expected = kb.explain.layer_conductance(loaded, TEXT, "positive", 9)
    np.testing.assert_allclose(found["scores"], expected.scores, atol=1e-6)
    found = results_of(call("explain", *model, "--layer", "2", TEXT))["attributions"][0]
    assert found["settings"]["layer"] == 2 and found["settings"]["steps"] == 9


def test_views_of_layers_and_heads(call, models, tmp_path):
    model = ("--model", models.encoder, "--json")
    found = results_of(call("explain", *model, "--view", "attention", "--layer", "2", "--head", "1", "a film"))
    expected = kb.explain.attention(kb.load_pretrained(models.encoder), "a film").head(2, 1)
    np.testing.assert_allclose(found["attention"][0]["weights"], expected, atol=1e-6)
    groups = ("--group", "x", "--group", "x", "--group", "y", "--pool", "mean")
    page = tmp_path / "map.html"
    found = results_of(
        call("explain", *model, "--view", "similarity", *groups, "--out", page, "a film", "films", "no fun")
    )
    assert found["groups"] == ["x", "x", "y"] and "<svg" in page.read_text("utf-8")


def test_page_of_a_run(call, tmp_path):
    page = tmp_path / "run.html"
    assert_error(call("explain", "--run", tmp_path, "--out", page), "log")
    for options, words in (
        ((), "`--out`"),
        (("--out", "page.svg"), "`--out`"),
        (("--out", page, "--top-k", "3"), "`top_k`"),
        (("--out", page, "a film"), "`TEXT`"),
    ):
        assert_error(call("explain", "--run", tmp_path, *options), words)
    assert not page.exists()


def test_masked_lm_and_tags(call, models):
    result = call("explain", "--model", models.encoder, "--steps", "5", "--target", "the", "a [MASK] film", "--json")
    assert results_of(result)["attributions"][0]["target"]["name"] == '"the" at [MASK] (token 2)'


def test_faithfulness(call, models, tmp_path):
    data = write_tsv(tmp_path / "dev.tsv", ["a fine film", "no fun", "not bad at all"], "101")
    options = ("--faithfulness", "--model", models.classifier, "--steps", "3", "--data")
    found = results_of(call("explain", *options, data, "--limit", "2", "--json"))
    assert found["count"] == 2 and found["settings"]["mode"] == "delete"
    assert list(found["rows"]) == [*LIBRARY_METHODS, "attention", "random"]
    assert "comprehensiveness" in call("explain", *options, data, "--limit", "1").out
    long = write_tsv(tmp_path / "long.tsv", ["long " * 60, "no fun"], "10")
    error = call("explain", *options, long)
    assert error.status == 2 and "This is text 1 of 2." in error.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), ("`TEXT`", "none of them")),
        ((TEXT, "--faithfulness"), ("`TEXT`", "--faithfulness")),
        ((TEXT, "--limit", "3"), ("`--limit`",)),
        ((TEXT, "--target", "good"), ("`target`", "negative, positive", "'good'")),
        ((TEXT, "--layer", "3"), ("`layer`", "to 2", "layer=3")),
        ((TEXT, "--layer", "1", "--method", "gradient"), ("`--layer`", "--method gradient")),
        ((TEXT, "--view", "conductance", "--method", "gradient"), ("`--method`", "--view conductance")),
        ((TEXT, "--view", "lens", "--head", "1"), ("`--head`", "--view lens")),
        ((TEXT, "--group", "a"), ("`--group`", "--view attribution")),
        ((TEXT, "--view", "context"), ("`--word`",)),
        ((TEXT, "--out", "page.txt"), ("`--out`", ".html")),
        ((TEXT, "no fun", "--out", "figure.svg"), ("`--out`", ".svg")),
        (("a\tb\tc",), ("`texts`", "2 tabs")),
        (("film " * 60,), ("`text`", "at most 16 tokens")),
    ],
)
def test_bad_input(options, words, call, models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_error(call("explain", "--model", models.classifier, *options), *words)
    assert not list(tmp_path.iterdir())


def test_encoder_has_no_target(call, models, tmp_path):
    encoder = kb.load_pretrained(models.encoder).encoder
    folder = kb.save_pretrained(encoder, tmp_path / "encoder")
    assert_error(call("explain", "--model", folder, TEXT), "`pretrained`", "kind encoder")


def test_methods_and_views_are_documented(call):
    assert set(METHODS) == set(LIBRARY_METHODS)
    out = call("explain", "--help").out
    for name in (*METHODS, *VIEWS):
        assert name in out
