"""Fine-tune a teacher with transformers and write its logits to a file, for `kb.finetune(teacher_logits=...)`.

    python -m tools.teacher train FOLDER --data train.tsv --out build/teacher [--epochs 1] [--seed 1]
    python -m tools.teacher logits build/teacher --data train.tsv --out build/teacher.npz
    python -m tools.teacher answers build/teacher --data examples.tsv --out build/answers.json

FOLDER is any encoder that transformers loads, also one that is not a BERT, such as MPNet. Its head is the mean of the
hidden states at the tokens, then one dense layer (Reimers and Gurevych 2019, arXiv:1908.10084, for the mean). All
commands run on a GPU if there is one, without a network. `train` resumes from its last checkpoint. The logits are in
the order of the rows, and of the files if `--data` names several.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from keras_bert.data import read_table
from keras_bert.files import atomic_write
from tools.small_model.texts import read_texts

CHECKPOINT_EVERY = 200  # steps
DATA = "file of texts and labels, see kb.load_labeled; for logits also further files, .tsv or with one text per line"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class MeanPoolingClassifier(torch.nn.Module):
    """A transformers encoder, the mean over its tokens, and a dense layer."""

    def __init__(self, folder: Path, num_classes: int):
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False)
        self.dropout = torch.nn.Dropout(0.1)
        self.dense = torch.nn.Linear(self.encoder.config.hidden_size, num_classes)

    def forward(self, input_ids, attention_mask):
        """Compute the logits `[B, C]` of token ids and mask, both int `[B, T]`."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # [B, T, H]
        mask = attention_mask[..., None].to(hidden.dtype)  # [B, T, 1]
        mean = (hidden * mask).sum(1) / mask.sum(1)  # [B, H]
        return self.dense(self.dropout(mean)).float()  # [B, C]


def tokenize(folder: Path, texts: list[str], length: int) -> list[list[int]]:
    """Return the token ids of each text, with special tokens, truncated to `length`."""
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)(texts, truncation=True, max_length=length)[
        "input_ids"
    ]


def pad(rows: list[list[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask, both int `[B, T]`, of rows that differ in length."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [pad_id] * (width - len(row)) for row in rows], device=DEVICE)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=DEVICE)
    return ids, mask


def batches(lengths: list[int], size: int, rng: random.Random) -> list[list[int]]:
    """Return shuffled batches of row numbers; the rows of a batch have similar lengths."""
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], rng.random()))
    chunks = [order[i : i + size] for i in range(0, len(order), size)]
    rng.shuffle(chunks)
    return chunks


def train(arguments) -> None:
    """Fine-tune with AdamW, warm-up over 6 % of the steps and linear decay, as the paper of BERT does."""
    torch.manual_seed(arguments.seed)
    table = read_table(arguments.data[0])
    labels = [int(label) for label in table.labels]
    rows = tokenize(arguments.model, table.texts, arguments.length)
    model = MeanPoolingClassifier(arguments.model, max(labels) + 1).to(DEVICE)
    plan = [
        batch
        for epoch in range(arguments.epochs)
        for batch in batches([len(row) for row in rows], arguments.batch_size, random.Random(arguments.seed + epoch))
    ]
    decayed = [p for name, p in model.named_parameters() if p.ndim > 1]
    others = [p for name, p in model.named_parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}], lr=arguments.learning_rate
    )
    warmup = max(1, int(0.06 * len(plan)))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, (len(plan) - step) / (len(plan) - warmup))
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    checkpoint, start = arguments.out / "checkpoint.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=DEVICE)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        start = state["step"]
    pad_id = model.encoder.config.pad_token_id
    model.train()
    total = 0.0
    for step in range(start, len(plan)):
        batch = plan[step]
        ids, mask = pad([rows[i] for i in batch], pad_id)
        with torch.autocast(DEVICE, torch.bfloat16, enabled=arguments.bfloat16):
            logits = model(ids, mask)
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor([labels[i] for i in batch], device=DEVICE))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.detach()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}/{len(plan)}  loss {total / 50:.4f}", flush=True)
            total = 0.0
        if (step + 1) % CHECKPOINT_EVERY == 0:
            with atomic_write(checkpoint) as draft:
                states = {"model": model, "optimizer": optimizer, "schedule": schedule}
                torch.save({name: each.state_dict() for name, each in states.items()} | {"step": step + 1}, draft)
    model.encoder.save_pretrained(arguments.out)
    AutoTokenizer.from_pretrained(arguments.model, local_files_only=True).save_pretrained(arguments.out)
    torch.save({name: tensor.cpu() for name, tensor in model.dense.state_dict().items()}, arguments.out / "dense.pt")
    checkpoint.unlink(missing_ok=True)


def compute_logits(arguments, texts: list[str]) -> np.ndarray:
    """Return the logits of texts, float16 `[N, C]`."""
    rows = tokenize(arguments.model, texts, arguments.length)
    dense = torch.load(arguments.model / "dense.pt", weights_only=True)
    model = MeanPoolingClassifier(arguments.model, len(dense["bias"])).to(DEVICE).eval()
    model.dense.load_state_dict(dense)
    logits = np.zeros((len(rows), len(dense["bias"])), np.float16)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    with torch.inference_mode(), torch.autocast(DEVICE, torch.bfloat16, enabled=arguments.bfloat16):
        for i in range(0, len(order), arguments.batch_size):
            batch = order[i : i + arguments.batch_size]
            logits[batch] = model(*pad([rows[j] for j in batch], model.encoder.config.pad_token_id)).cpu().numpy()
    return logits


def write_logits(arguments) -> None:
    """Write the logits of all rows as float16 `[N, C]`, and print the accuracy on the rows of the first file."""
    first, *others = arguments.data
    table = read_table(first)
    labels = np.array([int(label) for label in table.labels])
    logits = compute_logits(arguments, [*table.texts, *(text for path in others for text in read_texts(path))])
    with atomic_write(arguments.out) as draft, draft.open("wb") as file:
        np.savez_compressed(file, logits=logits)
    accuracy = float((logits[: len(labels)].argmax(1) == labels).mean())
    print(json.dumps({"rows": len(logits), "accuracy": accuracy}))


def write_answers(arguments) -> None:
    """Write the answers to the texts of a table as JSON: predicted class and probability by text."""
    texts = read_table(arguments.data[0]).texts
    probabilities = torch.tensor(compute_logits(arguments, texts)).float().softmax(-1)  # [N, C]
    names = ("negative", "positive")
    answers = {
        text: {"predicted": names[int(row.argmax())], "probability": float(row.max())}
        for text, row in zip(texts, probabilities, strict=True)
    }
    with atomic_write(arguments.out) as draft:
        draft.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["train", "logits", "answers"])
    parser.add_argument("model", type=Path, help="folder of a transformers encoder")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help=DATA)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=3e-5)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--length", type=int, default=80, help="maximum number of tokens of a text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="compute matrix products in bfloat16")
    arguments = parser.parse_args()
    if len(arguments.data) > 1 and arguments.command != "logits":
        parser.error(f"`--data` must be one file for {arguments.command}. Received: {len(arguments.data)} files")
    {"train": train, "logits": write_logits, "answers": write_answers}[arguments.command](arguments)


if __name__ == "__main__":
    main()
