"""Hugging Face transformers on PyTorch, on a GPU if there is one.

Forms: `compile` is `torch.compile`; `eager` compiles nothing. Attention is SDPA. As the rows have no padding it gets no
mask, so that it can be flash attention. bfloat16 is autocast; AdamW is fused.
"""

import numpy as np
import torch
import transformers
from torch.nn.functional import cross_entropy

from benchmarks.contestants.huggingface_model import EPSILON, Trainer, load_model, to_tensors
from benchmarks.contestants.protocol import serve

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Pretraining:
    """Whole training steps of `BertForMaskedLM`. The masked positions are gathered before the head."""

    def __init__(self, task: dict):
        if DEVICE.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        self.model = load_model(transformers.BertForMaskedLM, task).to(DEVICE).train()
        self.optimizer = Trainer(self.model, task).optimizer  # as on a CPU: fused AdamW
        self.autocast = torch.autocast(DEVICE.type, torch.bfloat16, enabled=task["precision"] == "bfloat16")

        batch = task["batch_sizes"][task["form"]]
        rows = {name: value[:batch] for name, value in np.load(task["batch"]).items()}
        inputs = {name: value.to(DEVICE) for name, value in to_tensors(rows).items()}
        del inputs["attention_mask"]
        length = rows["input_word_ids"].shape[1]
        positions = rows["masked_lm_positions"].astype(np.int64) + length * np.arange(batch)[:, None]  # [B, P]
        flat = torch.from_numpy(positions.reshape(-1)).to(DEVICE)  # [B * P]
        targets = torch.from_numpy(rows["masked_lm_ids"].astype(np.int64).reshape(-1)).to(DEVICE)  # [B * P]
        model = self.model

        def loss() -> torch.Tensor:
            hidden = model.bert(**inputs)[0]  # [B, T, H]
            logits = model.cls(hidden.reshape(-1, hidden.shape[-1])[flat])  # [B * P, V]
            return cross_entropy(logits.float(), targets)

        self.loss = torch.compile(loss) if task["form"] == "compile" else loss
        self.check_steps, self.steps = task["check_steps"], max(1, task["rows"] // batch)
        self.notes = [f"batch size {batch}"]

    def outputs(self) -> dict:
        losses = np.array([self._comparable_step(number) for number in range(1, 2 + self.check_steps)])
        return {"losses": losses, "changes": losses - losses[0]}

    def run(self, case: str, number: int) -> None:
        for _ in range(self.steps):
            loss = self._step()
        loss.item()  # waits for all steps

    def peak_mib(self) -> float | None:
        return torch.cuda.max_memory_allocated() / 2**20 if DEVICE.type == "cuda" else None

    def _step(self) -> torch.Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast:
            loss = self.loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.detach()

    def _comparable_step(self, number: int) -> float:
        # PyTorch adds epsilon after the bias correction of the variance, Keras before it; here as in Keras.
        for group in self.optimizer.param_groups:
            group["eps"] = EPSILON / (1 - 0.999**number) ** 0.5
        loss = self._step().item()
        for group in self.optimizer.param_groups:
            group["eps"] = EPSILON
        return loss


class Profile(Pretraining):
    """Not timed: writes the time of each kernel as text."""

    def __init__(self, task: dict):
        super().__init__(task)
        self.file = task["files"][task["form"]]

    def outputs(self) -> dict:
        for _ in range(3):
            self._step().item()
        with torch.profiler.profile() as profile:  # the CPU, and the GPU if there is one
            for _ in range(3):
                loss = self._step()
            loss.item()
        sort_by = f"self_{DEVICE.type}_time_total"
        with open(self.file, "w") as file:
            file.write(profile.key_averages().table(sort_by=sort_by, row_limit=60, max_name_column_width=90) + "\n")
        return {}


if __name__ == "__main__":
    serve({"pretraining": Pretraining, "profile": Profile})
