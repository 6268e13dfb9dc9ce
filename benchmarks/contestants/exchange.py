"""Not a contestant: a classifier or encoder of transformers in the formats that other runtimes load."""

from pathlib import Path

import openvino
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic

from benchmarks.contestants.huggingface import NAMES, model_of, tokenizer_of
from benchmarks.contestants.protocol import serve


class Export:
    """The classifier as ONNX (float32, int8), OpenVINO IR and a transformers folder; the encoder as ONNX and IR."""

    def __init__(self, task: dict):
        folder, classifier = Path(task["folder"]), task["model"] == "classifier"
        model = model_of(transformers.BertForSequenceClassification if classifier else transformers.BertModel, task)
        model.eval()

        class First(torch.nn.Module):
            """The logits, or the last block's output."""

            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, input_ids, attention_mask, token_type_ids):
                return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]

        ids = torch.randint(5, task["config"]["vocab_size"], (2, 16))
        example, free = (ids, torch.ones_like(ids), torch.zeros_like(ids)), {0: "batch", 1: "length"}
        torch.onnx.export(
            First().eval(),
            example,
            str(folder / "model.onnx"),
            dynamo=False,  # its graph is the one that the quantizer reads
            opset_version=17,
            input_names=list(NAMES),
            output_names=["first"],
            dynamic_axes={**dict.fromkeys(NAMES, free), "first": {0: "batch"} if classifier else free},
        )
        converted = openvino.convert_model(First().eval(), example_input=example)
        openvino.save_model(converted, folder / "model.xml", compress_to_fp16=False)
        if classifier:
            quantize_dynamic(folder / "model.onnx", folder / "int8.onnx", per_channel=True, weight_type=QuantType.QInt8)
            model.save_pretrained(folder)
            tokenizer_of(task).save_pretrained(folder)

    def answers(self) -> dict:
        return {}


if __name__ == "__main__":
    serve({"export": Export})
