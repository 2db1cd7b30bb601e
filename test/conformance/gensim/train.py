"""Trains gensim's Word2Vec on a file of one passage a line; one JSON document on stdout."""
import json
import sys
import time

import gensim
from gensim.models import Word2Vec
from gensim.models.word2vec import LineSentence

model = Word2Vec(
    vector_size=64, window=5, negative=8, sg=1, hs=0, min_count=2, max_final_vocab=20000,
    sample=1e-3, workers=int(sys.argv[2]), alpha=0.1, seed=7,
)
sentences = LineSentence(sys.argv[1], max_sentence_length=10000)
began, cpu = time.perf_counter(), time.process_time()
model.build_vocab(sentences)
model.train(sentences, total_examples=model.corpus_count, epochs=10)
print(json.dumps({
    "version": gensim.__version__,
    "seconds": time.perf_counter() - began,
    "cpuSeconds": time.process_time() - cpu,
    "words": len(model.wv),
    "tokens": model.corpus_total_words,
}))
