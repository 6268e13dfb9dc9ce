"""The page of attention statistics: segments of the corpus, bold values, classes and correlations."""

import lzma

from experiments import attention_statistics as experiment


def test_segments_are_two_paragraphs_of_an_article(tmp_path):
    long = [" ".join([name] * 20) for name in "abcdef"]
    articles = [[long[0], "short", long[1], long[2]], [long[3], "short"], [long[4], long[5]]]
    with lzma.open(tmp_path / "wikipedia.txt.xz", "wt", encoding="utf-8") as file:
        file.write("\n\n\n".join("\n".join(article) for article in articles) + "\n")
    pairs = experiment.segments(tmp_path / "wikipedia.txt.xz", 5)
    assert pairs == [(long[0], long[1]), (long[4], long[5])]
    assert experiment.segments(tmp_path / "wikipedia.txt.xz", 1) == pairs[:1]


def test_page(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "PAGE", tmp_path / "attention.md")
    averages = {key: [[0.1, 0.1], [0.1, 0.1]] for key in experiment.COLUMNS if key != "entropy"}
    averages["sep"], averages["next"] = [[0.2, 0.4], [0.1, 0.1]], [[0.1, 0.1], [0.3, 0.9]]
    model = {
        **{"texts": 1000, "tokens": 120_000, "truncated": 900, "uniform_entropy": 4.8, "averages": averages},
        **{"entropy": [[1.0, 2.0], [3.0, 4.0]], "classes": [["other", "other"], ["other", "next"]]},
        "captions": {"heads": "What it shows."},
    }
    means = {"attention": [0.1, 0.2], "rollout": [0.2, 0.1], "flow": [0.3, -0.1]}
    errors = {name: [0.01, 0.01] for name in means}
    correlations = {"drop": {"texts": 200, "means": means, "errors": errors}}
    ablation = {"caption": "Look at the orange cells."}
    experiment.write_page({"models": {"bert": model}, "correlations": correlations, "head_ablation": ablation})
    page = (tmp_path / "attention.md").read_text(encoding="utf-8")
    assert "1,000 segments with 120,000 tokens; 900 were cut." in page
    assert "| 1 | 10.0 % | 10.0 % | 10.0 % | 10.0 % | **30.0 %** | 10.0 % | 1.50 |" in page
    assert "| 2 | 10.0 % | 10.0 % | **60.0 %** | 10.0 % | 10.0 % | 10.0 % | 3.50 |" in page
    assert "Heads by class, of 4: other 3, next 1." in page
    assert "| next | 2 | 2 | 90.0 % |" in page and "| [SEP] | 1 | 2 | 40.0 % |" in page
    assert "![What it shows.](images/attention-heads-bert.png)" in page
    assert "| drop | 1 | +0.10 ± 0.01 | +0.20 ± 0.01 | **+0.30 ± 0.01** |" in page
    assert "![Look at the orange cells.](images/attention-head-ablation.png)" in page
    assert "over the tokens of 200 sentences" in page.replace("\n", " ")
