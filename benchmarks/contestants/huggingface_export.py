"""Not a contestant: writes a classifier or encoder of transformers in the formats that other runtimes load."""

from pathlib import Path

import openvino
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic

from benchmarks.contestants.huggingface_model import NAMES, load_model, load_tokenizer
from benchmarks.contestants.protocol import serve


class Export:
    """Write a classifier as ONNX (float32, int8), OpenVINO IR and transformers folder; an encoder as ONNX and IR."""

    def __init__(self, task: dict):
        folder, is_classifier = Path(task["folder"]), task["model"] == "classifier"
        model = load_model(
            transformers.BertForSequenceClassification if is_classifier else transformers.BertModel, task
        )
        model.eval()

        class FirstOutput(torch.nn.Module):
            """The logits, or the output of the last block."""

            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, input_ids, attention_mask, token_type_ids):
                return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]

        ids = torch.randint(5, task["config"]["vocab_size"], (2, 16))
        example, dynamic = (ids, torch.ones_like(ids), torch.zeros_like(ids)), {0: "batch", 1: "length"}
        torch.onnx.export(
            FirstOutput().eval(),
            example,
            str(folder / "model.onnx"),
            dynamo=False,  # the quantizer cannot read the graph of the dynamo exporter
            opset_version=17,
            input_names=list(NAMES),
            output_names=["first"],
            dynamic_axes={**dict.fromkeys(NAMES, dynamic), "first": {0: "batch"} if is_classifier else dynamic},
        )
        converted = openvino.convert_model(FirstOutput().eval(), example_input=example)
        openvino.save_model(converted, folder / "model.xml", compress_to_fp16=False)
        if is_classifier:
            quantize_dynamic(folder / "model.onnx", folder / "int8.onnx", per_channel=True, weight_type=QuantType.QInt8)
            model.save_pretrained(folder)
            load_tokenizer(task).save_pretrained(folder)

    def outputs(self) -> dict:
        return {}


if __name__ == "__main__":
    serve({"export": Export})
