"""Students with a teacher: no phrase of a held-out sentence is among the texts that they learn from."""

from experiments import task_teachers
from keras_bert.data import read_table


def test_held_out_sentences_and_their_phrases_are_not_trained_on(tmp_path, monkeypatch):
    monkeypatch.setattr(task_teachers, "WORK", tmp_path / "work")
    sentences = [f"film{i} was word{i} and fine{i}" for i in range(20)]
    for name, rows in (("SST-5", sentences), ("SST-2", [text[:-6] for text in sentences] + sentences)):
        folder = tmp_path / name
        folder.mkdir()
        for part in ("train", "dev"):
            lines = [f"{text}\t{i % 2}" for i, text in enumerate(rows if part == "train" else rows[:2])]
            (folder / f"{part}.tsv").write_text("\n".join(["sentence\tlabel", *lines]) + "\n", encoding="utf-8")
    task_teachers.prepare(tmp_path, "SST-5")
    folder = tmp_path / "work" / "SST-5"
    train, held = (read_table(folder / f"{part}.tsv") for part in ("train", "validation"))
    assert len(held.texts) == 2 and len(train.texts) == 18 and not set(held.texts) & set(train.texts)
    assert set(train.labels) == {"0", "1"}
    texts = (folder / "texts.txt").read_text(encoding="utf-8").splitlines()
    assert set(train.texts) < set(texts) and not any(
        held_out.startswith(text) for held_out in held.texts for text in texts
    )
