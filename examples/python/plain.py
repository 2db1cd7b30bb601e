"""Every stage with nothing but Python: words are hashed to dimensions and weighted by how rare they are.

It trains in one pass, however many epochs are asked for. Replace what is in `train` and `open_model` by your own.
"""

import epsilon_job  # First: it hears SIGTERM.

import json
import math
import struct
import zlib
from collections import Counter

from documents import prepare, words_of
from epsilon_job import DATA, JobFailure, fill_cache, flat_index, read_flat_index, run

MODEL = "model.json"
SAMPLE = 25


def train(job):
    counts, passages = Counter(), 0
    for passage in job.passages():
        job.check_interrupted()
        counts.update(set(words_of(passage["text"])))
        passages += 1
        job.report(passages, unit="passages")
    weights = {word: round(math.log(1 + passages / count), 6) for word, count in sorted(counts.items())}
    model = {"dimensions": job.options.get("dimensions", 256), "weights": weights}
    digest = job.write(MODEL, json.dumps(model, ensure_ascii=False).encode())
    facts = {"modelUri": job.output + MODEL, "words": len(weights), "dimensions": model["dimensions"]}
    job.close(facts)
    return {**facts, "checksums": {"model": digest}}


def open_model(objects, prefix):
    """A function from text to a unit vector, None where no word of it is known."""
    model = json.loads(objects.get(prefix + MODEL))
    dimensions, weights = model["dimensions"], model["weights"]

    def embed(text):
        vector = [0.0] * dimensions
        for word in words_of(text):
            if word in weights:
                code = zlib.crc32(word.encode())
                vector[code % dimensions] += weights[word] if code & 0x80000000 else -weights[word]
        length = math.sqrt(sum(value * value for value in vector))
        return [value / length for value in vector] if length > 0 else None

    return embed


def _rows(job):
    """Passages that have a vector, with it."""
    embed = open_model(job.objects, job.input("model"))
    rows = []
    for passage in job.passages():
        job.check_interrupted()
        vector = embed(passage["text"])
        if vector is not None:
            rows.append((passage, vector))
        job.report(len(rows), unit="passages")
    return rows


def index(job):
    rows = _rows(job)
    if not rows:
        raise JobFailure(DATA, "DATA_NO_VECTORS", "No passage holds a known word.")
    dimensions = len(rows[0][1])
    digest = job.write("index.faiss", flat_index(dimensions, [vector for _, vector in rows]))
    job.write("ids.json", json.dumps([passage["id"] for passage, _ in rows]).encode())
    facts = {"indexUri": job.output + "index.faiss", "vectors": len(rows), "dimensions": dimensions}
    job.close(facts)
    return {**facts, "checksums": {"index": digest}}


def deploy(job):
    """Looks evenly spread passages up by their own text: the share that finds itself first."""
    vectors = read_flat_index(job.artifact(job.input("index"), "index.faiss"))
    queries = _rows(job)
    if len(queries) != len(vectors):
        raise JobFailure(DATA, "DATA_COUNT", f"The index has {len(vectors)} rows for {len(queries)} passages.")
    sample = range(0, len(vectors), max(1, len(vectors) // SAMPLE))
    found = 0
    for row in sample:
        job.check_interrupted()
        job.report(row, len(vectors), "rows")
        query = queries[row][1]
        scores = [sum(a * b for a, b in zip(query, vector)) for vector in vectors]
        # Found when nothing scores better; a model for which most is alike finds nobody.
        near = sum(score >= scores[row] - 1e-6 for score in scores)
        found += scores[row] >= max(scores) - 1e-6 and (near == 1 or near <= len(scores) / 2)
    share, wanted = found / len(sample), job.options.get("minSelfRetrieval", 0.9)
    if share < wanted:
        raise JobFailure(DATA, "CANDIDATE_REFUSED", f"{share:.1%} of passages find themselves; {wanted:.1%} are needed.")
    facts = {"selfRetrieval": share, "sampled": len(sample), "vectors": len(vectors)}
    job.close(facts)
    return facts


def cache(job):
    return fill_cache(
        job, ((passage["id"], passage, struct.pack(f"<{len(vector)}f", *vector)) for passage, vector in _rows(job))
    )


if __name__ == "__main__":
    run({"prepare": prepare, "train": train, "index": index, "deploy": deploy, "cache": cache}, open_model)
