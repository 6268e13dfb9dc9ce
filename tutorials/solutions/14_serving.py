# %% [markdown]
# # Solutions of chapter 14 · How do I serve it?
#
# The model is tiny and has random weights: the exercises are about time and about the server.

# %%
import http.server
import json
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import keras
import numpy as np
import onnxruntime

import keras_bert as kb

keras.utils.set_random_seed(0)
folder = Path(tempfile.mkdtemp(prefix="keras_bert_14_solutions_"))
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "dull", "long", "film", "day"]
vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=16)
config = kb.BertConfig(vocab_size=11, hidden_size=32, num_layers=2, num_heads=2, intermediate_size=64)
kb.export_onnx(kb.BertClassifier(kb.BertEncoder(config)), folder / "tiny", vectorizer, labels=["bad", "good"])
predictor = kb.Predictor(folder / "tiny")

# %% [markdown]
# ## Exercise 1: percentiles
#
# The server of the chapter without its checks, and 200 requests one after another.


# %%
def start(predict):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["texts"]
            body = json.dumps([each["probability"] for each in predict(texts)]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


# %%
def ask(url, texts):
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps({"texts": texts}).encode())) as response:
        return json.load(response)


# %%
server, url = start(predictor)
times = []
for _ in range(200):
    begin = time.perf_counter()
    ask(url, ["a fine film"])
    times.append(time.perf_counter() - begin)
median, slow = np.percentile(times, [50, 99])
print(f"the 99th percentile is {slow / median:.1f} times the median")
assert slow >= median

# %% [markdown]
# The slow requests have many causes: another program, a new thread, garbage collection. A mean hides them.
#
# ## Exercise 2: a cache
#
# A dictionary from text to answer, around the predictor. Only the texts that are not in it are computed.


# %%
class Cache:
    def __init__(self, predict, size=1000):
        self.predict, self.size, self.answers, self.computed = predict, size, {}, 0
        self.lock = threading.Lock()  # requests run in several threads

    def __call__(self, texts):
        with self.lock:
            new = [text for text in dict.fromkeys(texts) if text not in self.answers]
            if new:
                self.computed += len(new)
                self.answers.update(zip(new, self.predict(new), strict=True))
            found = [self.answers[text] for text in texts]
            while len(self.answers) > self.size:  # the oldest first
                self.answers.pop(next(iter(self.answers)))
            return found


# %%
server.shutdown()
server.server_close()
cache = Cache(predictor)
server, url = start(cache)
first = ask(url, ["a fine film", "a dull day"])
second = ask(url, ["a dull day", "a long day", "a fine film"])
server.shutdown()
server.server_close()
assert cache.computed == 3  # five texts were asked, three of them different
assert second[0] == first[1] and second[2] == first[0]
print("five texts asked, computed:", cache.computed)

# %% [markdown]
# ## Exercise 3: what padding wastes
#
# One batch of 2 x 100 tokens, compared with 1 x 4 and 1 x 100 tokens. In tokens: 200 against 104.

# %%
config = kb.BertConfig(vocab_size=1000, hidden_size=256, num_layers=2, num_heads=4, intermediate_size=1024)
kb.export_onnx(kb.BertEncoder(config), folder / "encoder")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(folder / "encoder" / "model.onnx", options, providers=["CPUExecutionProvider"])


def row(B, T):
    ids = np.full((B, T), 7, "int32")
    return {"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": np.zeros_like(ids)}


# %%
CALLS = {"one batch": [row(2, 100)], "two calls": [row(1, 4), row(1, 100)]}
times = {name: [] for name in CALLS}
for _ in range(40):  # in turn, so that both meet the same load of the machine
    for name, calls in CALLS.items():
        begin = time.perf_counter()
        for each in calls:
            session.run(None, each)
        times[name].append(time.perf_counter() - begin)
one_batch, two_calls = min(times["one batch"]), min(times["two calls"])
print(f"one padded batch needs {one_batch / two_calls:.2f} times the time of two calls")
assert one_batch > 1.1 * two_calls

# %% [markdown]
# One batch is better in spite of the padding when a call has high fixed costs, as on a GPU, where two rows need nearly
# the time of one. A compromise is to put texts of similar length into one batch, as `serving_default` of a classifier's
# SavedModel does.
