"""The recipe of `bert_en_uncased_small`: a smaller encoder made out of a larger BERT, and its sentiment classifier."""
