"""More texts for the teachers to label: words of the training texts, replaced by those of a masked LM."""

import json

import keras_bert as kb
from keras_bert.data import read_table
from keras_bert.files import atomic_write
from keras_bert.inference.augment import augment as replace_words

MIN_WORDS, CHUNK = 4, 1000


def augment(arguments) -> dict:
    """Write new texts made from texts of at least four words, the longest first; resumes where it was stopped."""
    texts = list(dict.fromkeys(text.strip() for text in read_table(arguments.data).texts))
    texts = [text for text in sorted(texts, key=lambda text: -len(text.split())) if len(text.split()) >= MIN_WORDS]
    pretrained = kb.load_pretrained("bert_en_uncased_mini")
    work = arguments.out.with_suffix(".work")
    work.mkdir(parents=True, exist_ok=True)
    found: dict[str, None] = {}
    for start in range(0, len(texts), CHUNK):
        if arguments.chunks and start // CHUNK not in arguments.chunks:
            continue
        part = work / f"{start // CHUNK:03d}.json"
        if not part.exists():
            chunk = texts[start : start + CHUNK]
            new, _ = replace_words(pretrained, chunk, copies=arguments.copies, seed=start, batch_size=128)
            with atomic_write(part) as draft:
                draft.write_text(json.dumps(new), encoding="utf-8")
        found.update(dict.fromkeys(json.loads(part.read_text(encoding="utf-8"))))
    known = set(texts)
    new = [text for text in found if text not in known]
    with atomic_write(arguments.out) as draft:
        draft.write_text("".join(f"{text}\n" for text in new), encoding="utf-8")
    return {"texts": len(texts), "new": len(new)}
