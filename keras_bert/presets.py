"""The configs of the published models, by name: those of TF-Hub for BERT, those of Hugging Face for the others."""


def _bert(layers: int, hidden: int, vocabulary: int = 30522) -> dict:
    # Every published BERT has heads of size 64 and F = 4 H (Devlin et al. 2018, appendix A.2).
    return {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "num_layers": layers,
        "num_heads": hidden // 64,
        "intermediate_size": 4 * hidden,
    }


def _distilbert(vocabulary: int = 30522) -> dict:
    # Half of BERT's layers, no segment embedding and no pooler (Sanh et al. 2019, arXiv:1910.01108, section 3); the
    # exact GELU, as in the config files.
    return {**_bert(6, 768, vocabulary), "type_vocab_size": 0, "pooler": False, "activation": "gelu"}


def _albert(layers: int, hidden: int, dropout: float) -> dict:
    # Embeddings of size 128 and one shared block (Lan et al. 2019, arXiv:1909.11942, section 3.1 and table 1). The
    # activation is the tanh approximation, as in google-research/albert. xlarge has heads of size 128.
    return {
        **_bert(layers, hidden, 30000),
        "num_heads": 16 if hidden == 2048 else hidden // 64,
        "embedding_size": 128,
        "share_blocks": True,
        "hidden_dropout": dropout,
        "attention_dropout": dropout,
    }


PRESETS: dict[str, dict] = {
    "bert_en_uncased_L-12_H-768_A-12": _bert(12, 768),
    "bert_en_uncased_L-24_H-1024_A-16": _bert(24, 1024),
    "bert_en_cased_L-12_H-768_A-12": _bert(12, 768, 28996),
    "bert_en_cased_L-24_H-1024_A-16": _bert(24, 1024, 28996),
    "bert_multi_cased_L-12_H-768_A-12": _bert(12, 768, 119547),
    "bert_zh_L-12_H-768_A-12": _bert(12, 768, 21128),
    "multilingual_L-12_H-768_A-12": _bert(12, 768, 105879),  # uncased; its name in google-research/bert
    # Masking of whole words, May 2019.
    "bert_en_wwm_uncased_L-24_H-1024_A-16": _bert(24, 1024),
    "bert_en_wwm_cased_L-24_H-1024_A-16": _bert(24, 1024, 28996),
    # The 24 models of "Well-Read Students Learn Better" (Turc et al. 2019, arXiv:1908.08962), with their TF-Hub names.
    **{
        f"small_bert/bert_en_uncased_L-{layers}_H-{hidden}_A-{hidden // 64}": _bert(layers, hidden)
        for layers in (2, 4, 6, 8, 10, 12)
        for hidden in (128, 256, 512, 768)
    },
    "distilbert-base-uncased": _distilbert(),
    "distilbert-base-cased": _distilbert(28996),
    "distilbert-base-multilingual-cased": _distilbert(119547),
    "distilbert-base-uncased-finetuned-sst-2-english": _distilbert(),
    # The README of google-research/albert: version 2 and xxlarge were trained without dropout.
    "albert-base-v1": _albert(12, 768, 0.1),
    "albert-large-v1": _albert(24, 1024, 0.1),
    "albert-xlarge-v1": _albert(24, 2048, 0.1),
    "albert-xxlarge-v1": _albert(12, 4096, 0.0),
    "albert-base-v2": _albert(12, 768, 0.0),
    "albert-large-v2": _albert(24, 1024, 0.0),
    "albert-xlarge-v2": _albert(24, 2048, 0.0),
    "albert-xxlarge-v2": _albert(12, 4096, 0.0),
}
