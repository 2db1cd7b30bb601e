"""Documents and passages for the example jobs: text files, and JSONL with a key "text"."""

import hashlib
import json
import re

from epsilon_job import DATA, NO_INPUT, JobFailure

SHARD = 1000
AIM = 600
FEWEST = 10


def words_of(text):
    return re.findall(r"\w+", text.lower())


def _texts(job, uri):
    body = job.objects.get(uri)
    try:
        text = body.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return
    if uri.endswith((".jsonl", ".ndjson")):
        for number, line in enumerate(text.splitlines()):
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and isinstance(row.get("text"), str):
                yield str(row.get("id", number)), row["text"]
    else:
        yield uri.rsplit("/", 1)[1], text


def _passages(text):
    held = ""
    for block in re.split(r"\n{2,}", text):
        if held and len(held) + len(block) > AIM:
            yield held
            held = ""
        held = f"{held}\n\n{block}".strip()
        while len(held) > 2 * AIM:
            yield held[:AIM]
            held = held[AIM:]
    yield held


def prepare(job):
    """The data stage: shards of passages, each text once."""
    seen, lines, documents, shards = set(), [], 0, []

    def flush():
        if lines:
            name = f"passages-{len(shards):05d}.jsonl"
            shards.append(job.write(name, ("\n".join(lines) + "\n").encode()))
            lines.clear()

    uris = job.objects.list(job.input("documents"))
    if not uris:
        raise JobFailure(NO_INPUT, "DOCUMENTS_EMPTY", f"There are no documents at {job.input('documents')}.")
    most = job.options.get("maxDocuments", float("inf"))
    for uri in uris:
        for source, text in _texts(job, uri):
            job.check_interrupted()
            if not text.strip() or documents >= most:
                continue
            documents += 1
            job.report(documents, unit="documents")
            for passage in filter(lambda one: len(one) >= 20, _passages(text)):
                identifier = hashlib.sha256(passage.encode()).hexdigest()[:16]
                if identifier not in seen:
                    seen.add(identifier)
                    row = {"id": identifier, "source": source, "text": passage}
                    lines.append(json.dumps(row, ensure_ascii=False))
            if len(lines) >= SHARD:
                flush()
    flush()
    if documents < FEWEST or not seen:
        raise JobFailure(DATA, "DATA_TOO_FEW_DOCUMENTS", f"{documents} usable documents; {FEWEST} are needed.")
    checksum = hashlib.sha256("\n".join(shards).encode()).hexdigest()
    facts = {"documents": {"used": documents}, "passages": len(seen), "checksum": checksum}
    job.close(facts)
    return {**facts, "uri": job.output, "checksums": {"data": checksum}}
