"""Hugging Face transformers on PyTorch.

Forms: `eager`, or `compile` for `torch.compile`, with dynamic shapes if lengths vary. bfloat16 is autocast in training
and bfloat16 weights otherwise.
"""

import numpy as np
import torch
import transformers
from torch.nn.functional import cross_entropy

from benchmarks.batching import LengthGroupedRows
from benchmarks.contestants.huggingface_model import EPSILON, Trainer, load_model, load_tokenizer, to_tensors
from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import TextServer, Tokenizer


class Pretraining:
    """Steps of `BertForMaskedLM`. Its head computes all positions, so a wrapper gathers the masked ones before it."""

    def __init__(self, task: dict):
        model = load_model(transformers.BertForMaskedLM, task)
        self.trainer = Trainer(model, task)
        rows = dict(np.load(task["batch"]))
        self.inputs = to_tensors(rows)
        batch, length = rows["input_word_ids"].shape
        positions = rows["masked_lm_positions"].astype(np.int64)  # [B, P]
        self.flat = torch.from_numpy((positions + length * np.arange(batch)[:, None]).reshape(-1))  # [B * P]
        self.targets = torch.from_numpy(rows["masked_lm_ids"].astype(np.int64).reshape(-1))  # [B * P]
        self.positions, self.steps = positions.shape[1], task["check_steps"]

        def masked_logits(inputs, flat):
            hidden = model.bert(**inputs)[0]  # [B, T, H]
            return model.cls(hidden.reshape(-1, hidden.shape[-1])[flat])  # [B * P, V]

        def loss() -> torch.Tensor:
            return cross_entropy(masked_logits(self.inputs, self.flat).float(), self.targets)

        self.eager = masked_logits
        self.loss = {"eager": loss, "compile": torch.compile(loss)}[task["form"]]

    def outputs(self) -> dict:
        self.trainer.model.eval()
        with torch.inference_mode(), self.trainer.cast():
            first = {name: value[:1] for name, value in self.inputs.items()}
            logits = self.eager(first, self.flat[: self.positions]).float()[None].numpy().copy()  # [1, P, V]
        self.trainer.model.train()
        losses = [self._comparable_step(number) for number in range(1, self.steps + 1)]
        return {"logits": logits, "losses": np.array(losses, np.float64)}

    def run(self, case: str, number: int) -> None:
        self.trainer.step(self.loss)

    def _comparable_step(self, number: int) -> float:
        # PyTorch adds epsilon after the bias correction of the variance, Keras before it; here as in Keras.
        for group in self.trainer.optimizer.param_groups:
            group["eps"] = EPSILON / (1 - 0.999**number) ** 0.5
        loss = self.trainer.step(self.loss)
        for group in self.trainer.optimizer.param_groups:
            group["eps"] = EPSILON
        return loss


class Finetuning:
    """`BertForSequenceClassification` on batches of similar length, padded to their longest row (`group_by_length`)."""

    def __init__(self, task: dict):
        model = load_model(transformers.BertForSequenceClassification, task)
        self.trainer = Trainer(model, task)
        rows = dict(np.load(task["rows"]))
        self.first = to_tensors({name: value[:32] for name, value in rows.items()})
        self.batches, self.steps = LengthGroupedRows(rows, task["batch_size"]), task["steps"]

        def logits(inputs):
            return model(**inputs).logits

        self.eager = logits
        self.logits = torch.compile(logits, dynamic=True) if task["form"] == "compile" else logits

    def outputs(self) -> dict:
        self.trainer.model.eval()
        with torch.inference_mode(), self.trainer.cast():
            logits = self.eager(self.first).float().numpy()
        self.trainer.model.train()
        return {"logits": logits}

    def run(self, case: str, number: int) -> None:
        for _ in range(self.steps[case]):
            rows = next(self.batches)
            inputs, labels = to_tensors(rows), torch.from_numpy(rows["labels"].astype(np.int64))
            self.trainer.step(lambda inputs=inputs, labels=labels: cross_entropy(self.logits(inputs).float(), labels))


class Inference:
    """A model in evaluation mode, cast and compiled as the task requires.

    Args:
        cls: class of the model.
        task: holds `precision` and `form`.
        dynamic: whether shapes vary.
    """

    def __init__(self, cls, task: dict, dynamic: bool):
        model = load_model(cls, task).eval()
        model = model.to(torch.bfloat16) if task["precision"] == "bfloat16" else model
        self.call = torch.compile(model, dynamic=dynamic) if task["form"] == "compile" else model

    def __call__(self, inputs: dict):
        with torch.inference_mode():
            return self.call(**inputs)


class Forward:
    """The last block's output of `BertModel` on rows without padding; a case is a batch size."""

    def __init__(self, task: dict):
        self.model = Inference(transformers.BertModel, task, dynamic=False)
        rows = dict(np.load(task["batch"]))
        self.inputs = {case: to_tensors({k: v[: int(case)] for k, v in rows.items()}) for case in task["cases"]}

    def outputs(self) -> dict:
        return {case: self.model(inputs)[0].float().numpy().copy() for case, inputs in self.inputs.items()}

    def run(self, case: str, number: int) -> None:
        self.model(self.inputs[case])


def tokenization(task: dict) -> Tokenizer:
    """Return the contestant: `BertTokenizerFast` with NumPy arrays as output."""
    tokenizer, length = load_tokenizer(task), task["length"]

    def call(texts):
        return tokenizer(texts, padding="max_length", truncation=True, max_length=length, return_tensors="np")

    return Tokenizer(task, call, lambda encoded: encoded["input_ids"])


class TextToProbabilities(TextServer):
    """`BertTokenizerFast`, padding to the longest text of the batch, then the classifier."""

    def __init__(self, task: dict):
        super().__init__(task)
        self.model = Inference(transformers.BertForSequenceClassification, task, dynamic=True)
        self.tokenizer = load_tokenizer(task)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        inputs = self.tokenizer(texts, padding=True, truncation=True, max_length=self.length, return_tensors="pt")
        return self.model(dict(inputs)).logits.float().softmax(-1).numpy().copy()


class Pipeline:
    """`DataCollatorForLanguageModeling` on packed rows, one batch per call."""

    def __init__(self, task: dict):
        rows = dict(np.load(task["rows"]))
        self.collate = transformers.DataCollatorForLanguageModeling(
            load_tokenizer(task), mlm_probability=0.15, return_tensors="np"
        )
        ids = [row[:n].tolist() for row, n in zip(rows["input_word_ids"], rows["lengths"], strict=True)]
        size, batches = task["batch_size"], task["batches"]
        self.batches = [[{"input_ids": row} for row in ids[i : i + size]] for i in range(0, batches * size, size)]

    def outputs(self) -> dict:
        counts = [(self.collate(batch)["labels"] != -100).sum(axis=1) for batch in self.batches]
        return {"predictions per row": np.array(float(np.concatenate(counts).mean()))}

    def run(self, case: str, number: int) -> None:
        for batch in self.batches:
            self.collate(batch)


if __name__ == "__main__":
    serve(
        {
            "pretraining": Pretraining,
            "finetuning": Finetuning,
            "forward": Forward,
            "tokenization": tokenization,
            "text_to_probabilities": TextToProbabilities,
            "pipeline": Pipeline,
        }
    )
