"""Stages of training with PyTorch and FAISS: text is the weighted mean of its words' vectors, which are trained so that the halves
of a passage find each other among others.

The same data and seed give the same tensors on one host with the same number of threads, interrupted or not: randomness, optimizer
and the place in the data are in the checkpoint. Models are read with `weights_only`, so that one that holds code is refused.
"""

import epsilon_job  # First: it hears SIGTERM while torch is imported.

import io
import json
from collections import Counter

from documents import prepare, words_of
from epsilon_job import DATA, USAGE, Interrupted, JobFailure, fill_cache, run

MODEL = "model.pth"
FORMAT = "epsilon-example-1"
MOST_WORDS = 20_000
FEWEST_TIMES = 2
SAMPLE = 200


def _torch(threads):
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    return torch


def _load(torch, body):
    """What torch.save wrote, if it holds nothing but tensors and plain values."""
    try:
        return torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).strip().splitlines()[-1][:300]
        raise JobFailure(DATA, "DATA_MODEL_UNSAFE", f"The model is not loaded: {reason}") from None


def _save(torch, value):
    body = io.BytesIO()
    torch.save(value, body)
    return body.getvalue()


# The model.


def _embed_all(torch, vectors, weights, rows):
    """Unit vectors of lists of row numbers."""
    flat = torch.tensor([row for each in rows for row in each], dtype=torch.long)
    starts = torch.tensor([0] + [len(each) for each in rows[:-1]], dtype=torch.long).cumsum(0)
    sums = torch.nn.functional.embedding_bag(
        flat, vectors, starts, mode="sum", per_sample_weights=weights[flat]
    )
    return torch.nn.functional.normalize(sums, dim=1)


def _open(torch, body):
    """A function from text to a unit vector as a tensor, None where no word of it is known."""
    model = _load(torch, body)
    if not isinstance(model, dict) or model.get("format") != FORMAT:
        raise JobFailure(DATA, "DATA_MODEL_CORRUPT", "It is no model of this program.")
    rows = {word: row for row, word in enumerate(model["words"])}

    def embed(text):
        known = [rows[word] for word in words_of(text) if word in rows]
        return _embed_all(torch, model["vectors"], model["weights"], [known])[0] if known else None

    return embed


# Training.


def _corpus(job):
    """Vocabulary, how rare its words are, and passages as row numbers."""
    counts, texts, used = Counter(), [], 0
    most = job.options.get("maxTokens", float("inf"))
    for passage in job.passages():
        job.check_interrupted()
        words = words_of(passage["text"])[: int(min(most - used, 1e9))]
        used += len(words)
        counts.update(words)
        texts.append(words)
    kept = sorted((item for item in counts.items() if item[1] >= FEWEST_TIMES), key=lambda item: (-item[1], item[0]))
    words = [word for word, _ in kept[:MOST_WORDS]]
    if len(words) < 10:
        raise JobFailure(DATA, "DATA_VOCABULARY", f"Only {len(words)} words occur twice; 10 are needed.")
    rows = {word: row for row, word in enumerate(words)}
    total = sum(count for _, count in kept)
    weights = [1e-3 / (1e-3 + counts[word] / total) for word in words]
    passages = [[rows[word] for word in text if word in rows] for text in texts]
    return words, weights, [passage for passage in passages if len(passage) >= 2], used


class Training:
    """A training that can be put aside and taken up."""

    def __init__(self, job, torch):
        self.job, self.torch = job, torch
        self.words, weights, self.passages, self.tokens = _corpus(job)
        options = job.options
        self.batch = options.get("batch", 64)
        self.epochs = int(job.args.epochs or 10)
        torch.manual_seed(job.seed)
        self.weights = torch.tensor(weights)
        start = torch.randn(len(self.words), options.get("dimensions", 64)) / 8
        self.vectors = torch.nn.Parameter(start)
        self.optimizer = torch.optim.Adam([self.vectors], lr=options.get("rate", 0.01))
        self.epoch, self.step, self.order, self.losses = 0, 0, None, []
        # Whoever trains something else never takes this checkpoint up.
        data = job.manifest(job.input("data"))["facts"]["checksum"]
        self.of = json.dumps([FORMAT, data, job.seed, self.epochs, options, self.batch], sort_keys=True)

    def checkpoint(self):
        # Plain values go as JSON: `weights_only` of PyTorch 1.13 takes no floating-point numbers outside tensors.
        place = {"of": self.of, "epoch": self.epoch, "step": self.step, "order": self.order, "losses": self.losses}
        body = _save(self.torch, {
            "place": json.dumps(place),
            "vectors": self.vectors.detach(),
            "optimizer": self.optimizer.state_dict()["state"],
            "random": self.torch.get_rng_state(),
        })
        self.job.save_checkpoint(self.epoch, self.step, body)

    def resume(self):
        """Takes the furthest whole checkpoint of any attempt up and gives its URI."""
        for uri, body in self.job.checkpoints():
            try:
                saved = _load(self.torch, body)
                place = json.loads(saved["place"])
            except JobFailure as failure:
                self.job.log("checkpoint skipped", uri=uri, why=failure.message)
                continue
            if place["of"] != self.of:
                self.job.log("checkpoint skipped: of another training", uri=uri)
                continue
            with self.torch.no_grad():
                self.vectors.copy_(saved["vectors"])
            groups = self.optimizer.state_dict()["param_groups"]
            self.optimizer.load_state_dict({"state": saved["optimizer"], "param_groups": groups})
            self.epoch, self.step = place["epoch"], place["step"]
            self.order, self.losses = place["order"], place["losses"]
            self.torch.set_rng_state(saved["random"])
            return uri
        return None

    def _loss(self, batch):
        """The halves of each passage, dealt at random, must find each other among all of the batch."""
        torch = self.torch
        left, right = [], []
        for number in batch:
            rows = self.passages[number]
            dealt = torch.randperm(len(rows)).tolist()
            left.append([rows[place] for place in dealt[: len(rows) // 2]])
            right.append([rows[place] for place in dealt[len(rows) // 2:]])
        scores = _embed_all(torch, self.vectors, self.weights, left) @ _embed_all(torch, self.vectors, self.weights, right).T
        return torch.nn.functional.cross_entropy(scores / 0.1, torch.arange(len(batch)))

    def run_epoch(self):
        job, torch = self.job, self.torch
        if self.order is None:
            self.order = torch.randperm(len(self.passages)).tolist()
        steps = max(1, len(self.order) // self.batch)
        while self.step < steps:
            if job.stopped:
                self.checkpoint()
                raise Interrupted()
            batch = self.order[self.step * self.batch:(self.step + 1) * self.batch]
            self.optimizer.zero_grad()
            loss = self._loss(batch)
            if not torch.isfinite(loss):
                raise JobFailure(DATA, "DATA_NAN", f"The loss of epoch {self.epoch} is {loss.item()}.")
            loss.backward()
            self.optimizer.step()
            self.step += 1
            job.report(round(self.epoch + self.step / steps, 3), self.epochs, "epochs")
        self.losses.append(round(loss.item(), 4))
        self.epoch, self.step, self.order = self.epoch + 1, 0, None


def train(job):
    torch = _torch(job.cpus)
    if job.args.model_type not in (None, "halves"):
        raise JobFailure(USAGE, "MODEL_TYPE_UNKNOWN", f"Model type {job.args.model_type} is not trained here.")
    training = Training(job, torch)
    resumed = training.resume()
    while training.epoch < training.epochs:
        training.run_epoch()
        training.checkpoint()
        job.log("epoch done", epoch=training.epoch, of=training.epochs, loss=training.losses[-1])
    vectors = training.vectors.detach()
    model = {"format": FORMAT, "words": training.words, "weights": training.weights, "vectors": vectors}
    digest = job.write(MODEL, _save(torch, model))
    facts = {
        "modelUri": job.output + MODEL, "words": len(training.words), "dimensions": vectors.shape[1],
        "tokens": training.tokens, "epochs": training.epochs, "losses": training.losses[-20:],
        "resumedFrom": resumed, "torch": torch.__version__, "threads": job.cpus,
    }
    job.close(facts)
    job.drop_checkpoints()
    return {**facts, "checksums": {"model": digest}}


# After training.


def _rows(job, torch):
    """Passages that have a vector, and the vectors as one array."""
    embed = _open(torch, job.artifact(job.input("model"), MODEL))
    passages, vectors = [], []
    for passage in job.passages():
        job.check_interrupted()
        vector = embed(passage["text"])
        if vector is not None:
            passages.append(passage)
            vectors.append(vector)
        job.report(len(passages), unit="passages")
    if not vectors:
        raise JobFailure(DATA, "DATA_NO_VECTORS", "No passage holds a known word.")
    return passages, torch.stack(vectors).numpy()


def index(job):
    import faiss

    passages, vectors = _rows(job, _torch(job.cpus))
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    digest = job.write("index.faiss", faiss.serialize_index(flat).tobytes())
    job.write("ids.json", json.dumps([passage["id"] for passage in passages]).encode())
    facts = {"indexUri": job.output + "index.faiss", "vectors": flat.ntotal, "dimensions": flat.d}
    job.close(facts)
    return {**facts, "checksums": {"index": digest}}


def deploy(job):
    """Looks evenly spread passages up by their own text: the share that finds itself first."""
    import faiss
    import numpy

    _, queries = _rows(job, _torch(job.cpus))
    flat = faiss.deserialize_index(numpy.frombuffer(job.artifact(job.input("index"), "index.faiss"), dtype="uint8"))
    if (flat.ntotal, flat.d) != queries.shape:
        raise JobFailure(DATA, "DATA_COUNT", f"The index has {flat.ntotal} rows for {len(queries)} passages.")
    sample = numpy.arange(0, len(queries), max(1, len(queries) // SAMPLE))
    scores = queries[sample] @ flat.reconstruct_n(0, flat.ntotal).T
    own = scores[numpy.arange(len(sample)), sample][:, None]
    near = (scores >= own - 1e-6).sum(1)
    # Found when nothing scores better; a model for which most is alike finds nobody.
    found = (scores.max(1) <= own[:, 0] + 1e-6) & ((near == 1) | (near <= len(queries) / 2))
    share, wanted = float(found.mean()), job.options.get("minSelfRetrieval", 0.9)
    if share < wanted:
        raise JobFailure(DATA, "CANDIDATE_REFUSED", f"{share:.1%} of passages find themselves; {wanted:.1%} are needed.")
    job.report(len(sample), len(sample), "rows")
    facts = {"selfRetrieval": share, "sampled": len(sample), "vectors": flat.ntotal, "dimensions": flat.d}
    job.close(facts)
    return facts


def cache(job):
    passages, vectors = _rows(job, _torch(job.cpus))
    return fill_cache(
        job, ((passage["id"], passage, vector.tobytes()) for passage, vector in zip(passages, vectors))
    )


def open_model(objects, prefix):
    embed = _open(_torch(1), objects.get(prefix + MODEL))

    def ask(text):
        vector = embed(text)
        return None if vector is None else vector.tolist()

    return ask


if __name__ == "__main__":
    run({"prepare": prepare, "train": train, "index": index, "deploy": deploy, "cache": cache}, open_model)
