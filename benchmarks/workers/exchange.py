"""Not a contestant: a classifier of transformers in the formats that other runtimes load."""

from pathlib import Path

import openvino
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic

from benchmarks.workers.huggingface import NAMES, model_of, tokenizer_of
from benchmarks.workers.protocol import serve


class Export:
    """The classifier as ONNX (float32, int8), OpenVINO IR and a transformers folder."""

    def __init__(self, task: dict):
        folder = Path(task["folder"])
        model = model_of(transformers.BertForSequenceClassification, task).eval()
        model.save_pretrained(folder)
        tokenizer_of(task).save_pretrained(folder)

        class Logits(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, input_ids, attention_mask, token_type_ids):
                return self.model(
                    input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
                ).logits

        ids = torch.randint(5, task["config"]["vocab_size"], (2, 16))
        example, free = (ids, torch.ones_like(ids), torch.zeros_like(ids)), {0: "batch", 1: "length"}
        torch.onnx.export(
            Logits().eval(),
            example,
            str(folder / "model.onnx"),
            dynamo=False,  # its graph is the one that the quantizer reads
            opset_version=17,
            input_names=list(NAMES),
            output_names=["logits"],
            dynamic_axes={**dict.fromkeys(NAMES, free), "logits": {0: "batch"}},
        )
        quantize_dynamic(folder / "model.onnx", folder / "int8.onnx", per_channel=True, weight_type=QuantType.QInt8)
        converted = openvino.convert_model(Logits().eval(), example_input=example)
        openvino.save_model(converted, folder / "model.xml", compress_to_fp16=False)

    def answers(self) -> dict:
        return {}


if __name__ == "__main__":
    serve({"export": Export})
