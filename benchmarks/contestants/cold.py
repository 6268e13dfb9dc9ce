"""One cold start: read a task from standard input, import, load, answer one sentence, say how long each took."""

import json
import sys
import time


def main() -> None:
    task = json.load(sys.stdin)
    files = task["files"]
    task["precision"], task["texts"] = "float32", {}
    begun = time.perf_counter()
    server = {
        "ours": "saved_model",
        "TF-Hub interface": "tfhub",
        "ONNX Runtime": "onnx_runtime",
        "OpenVINO": "openvino",
    }
    if task["peer"] == "Hugging Face":
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        def load():
            tokenizer = AutoTokenizer.from_pretrained(files["exchange"])
            model = AutoModelForSequenceClassification.from_pretrained(files["exchange"]).eval()

            def answer(texts):
                with torch.inference_mode():
                    return model(**tokenizer(texts, return_tensors="pt")).logits.softmax(-1).numpy()

            return answer

    else:
        import importlib

        module = importlib.import_module(f"benchmarks.contestants.{server[task['peer']]}")
        contestant = module.TwoModels if task["peer"] == "TF-Hub interface" else module.Served

        def load():
            return contestant(task).probabilities

    imported = time.perf_counter()
    answer = load()
    loaded = time.perf_counter()
    probabilities = answer([task["text"]])
    answered = time.perf_counter()
    from benchmarks.contestants.protocol import peak_mib

    seconds = {"import": imported - begun, "load": loaded - imported, "answer": answered - loaded}
    print(json.dumps({**seconds, "probabilities": probabilities.tolist(), "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
