"""The job contract of Epsilon for jobs in Python: docs/job-contract.md, version 2.

Standard library only; on AWS also boto3. Import this module first: from then on SIGTERM is heard, however long other
imports take. A program hands its stages to `run`, and the function that embeds questions to `answer`.
"""

import argparse
import errno
import hashlib
import json
import os
import signal
import struct
import sys
import time
from datetime import datetime, timezone

CONTRACT = 2
ACCEPTED = (1, CONTRACT)

# Exit codes of the contract: 64 to 78 say that the input is wrong, except 75, "try again".
USAGE, DATA, NO_INPUT, TRY_AGAIN, CONFIG, TERMINATED = 64, 65, 66, 75, 78, 143

LARGEST_RESULT = 4096

_stopped = False


def _stop(_signal, _frame):
    global _stopped
    _stopped = True


signal.signal(signal.SIGTERM, _stop)


class JobFailure(Exception):
    """A failure that the job explains itself: exit code, stable code, sentence."""

    def __init__(self, exit_code, code, message):
        super().__init__(message)
        self.exit_code, self.code, self.message = exit_code, code, message


class Interrupted(Exception):
    """The job was asked to stop."""


def _now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sha256(body):
    return hashlib.sha256(body).hexdigest()


class FileObjects:
    """Objects of this host: s3://bucket/key is the file <root>/bucket/key, file:///path is itself."""

    def __init__(self, root):
        self.root = root

    def _path(self, uri):
        if uri.startswith("file://"):
            from urllib.parse import unquote

            return unquote(uri[len("file://"):])
        if not uri.startswith("s3://") or ".." in uri.split("/"):
            raise JobFailure(DATA, "OBJECT_URI_INVALID", f"{uri} is not an object URI.")
        return os.path.join(self.root, uri[len("s3://"):])

    def get(self, uri):
        try:
            with open(self._path(uri), "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise JobFailure(NO_INPUT, "OBJECT_NOT_FOUND", f"There is no object {uri}.") from None

    def put(self, uri, body):
        path = self._path(uri)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        temporary = os.path.join(os.path.dirname(path), f".tmp-{os.urandom(8).hex()}")
        try:
            with open(temporary, "wb") as file:
                file.write(body)
            os.replace(temporary, path)
        finally:
            if os.path.exists(temporary):
                os.unlink(temporary)

    def list(self, prefix):
        root = self._path(prefix).rstrip("/")
        if os.path.isfile(root):
            return [prefix]
        found = []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            below = os.path.relpath(folder, root)
            for name in sorted(names):
                if not name.startswith("."):
                    key = name if below == "." else f"{below}/{name}"
                    found.append(prefix.rstrip("/") + "/" + key)
        return found

    def delete(self, uri):
        try:
            os.unlink(self._path(uri))
        except FileNotFoundError:
            pass


class S3Objects:
    """Objects in S3, with credentials of the attempt's tenant."""

    def __init__(self):
        from epsilon_aws import session

        self._client = session().client("s3")

    @staticmethod
    def _parts(uri):
        bucket, _, key = uri[len("s3://"):].partition("/")
        return {"Bucket": bucket, "Key": key}

    def get(self, uri):
        try:
            return self._client.get_object(**self._parts(uri))["Body"].read()
        except self._client.exceptions.NoSuchKey:
            raise JobFailure(NO_INPUT, "OBJECT_NOT_FOUND", f"There is no object {uri}.") from None

    def put(self, uri, body):
        self._client.put_object(Body=body, **self._parts(uri))

    def list(self, prefix):
        place = self._parts(prefix)
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=place["Bucket"], Prefix=place["Key"]
        )
        return [f"s3://{place['Bucket']}/{found['Key']}" for page in pages for found in page.get("Contents", [])]

    def delete(self, uri):
        self._client.delete_object(**self._parts(uri))


def _variable(name, form=str):
    try:
        return form(os.environ[name])
    except KeyError:
        raise JobFailure(CONFIG, "CONTRACT_INVALID", f"{name} is not set.") from None
    except ValueError:
        raise JobFailure(CONFIG, "CONTRACT_INVALID", f"{name} is {os.environ[name]!r}.") from None


def _check_contract():
    version = os.environ.get("EPSILON_CONTRACT", "1")
    if version not in map(str, ACCEPTED):
        known = ", ".join(map(str, ACCEPTED))
        raise JobFailure(CONFIG, "CONTRACT_INVALID", f"Contract {version} is not known here (known: {known}).")


def _inputs():
    text = os.environ.get("EPSILON_INPUTS")
    if text is None:
        with open(_variable("EPSILON_INPUTS_FILE"), encoding="utf-8") as file:
            text = file.read()
    try:
        return json.loads(text)
    except ValueError:
        raise JobFailure(CONFIG, "CONTRACT_INVALID", "EPSILON_INPUTS is not JSON.") from None


def _objects():
    root = os.environ.get("EPSILON_OBJECTS_ROOT")
    return S3Objects() if root is None else FileObjects(root)


class Job:
    """Everything that a stage is given."""

    def __init__(self, tenant_id, args):
        _check_contract()
        self.tenant_id, self.args = tenant_id, args
        self.run_id, self.stage = _variable("EPSILON_RUN_ID"), _variable("EPSILON_TRAINING_STAGE")
        self.attempt, self.fence = _variable("EPSILON_ATTEMPT", int), _variable("EPSILON_FENCE", int)
        self.seed = _variable("EPSILON_SEED", int)
        self.output = _variable("EPSILON_OUTPUT")
        self.inputs = _inputs()
        self.options = json.loads(os.environ.get("EPSILON_OPTIONS", "{}"))
        asked = float(os.environ.get("EPSILON_CPUS", "1"))
        self.cpus = max(1, int(min(asked, os.cpu_count() or 1)))
        self.objects = _objects()
        self.redis_url = os.environ.get("REDIS_URL")
        self._files = []
        self._line_at = self._object_at = 0.0

    # What it is told, and says.

    def input(self, name):
        if name not in self.inputs:
            raise JobFailure(CONFIG, "CONTRACT_INVALID", f"EPSILON_INPUTS names no {name}.")
        return self.inputs[name]

    @property
    def stopped(self):
        return _stopped

    def check_interrupted(self):
        if _stopped:
            raise Interrupted()

    def log(self, message, **fields):
        line = {"timestamp": _now(), "level": "INFO", "message": message, "stage": self.stage, **fields}
        print(json.dumps(line), flush=True)

    def report(self, done, total=None, unit="documents"):
        """Says how far the stage is; may be called as often as one likes."""
        now = time.monotonic()
        whole = {} if total is None else {"total": total}
        body = json.dumps({"at": _now(), "done": done, **whole, "unit": unit})
        path = os.environ.get("EPSILON_PROGRESS_PATH")
        try:
            if path is not None and now >= self._line_at + 1:
                self._line_at = now
                with open(path, "a", encoding="utf-8") as file:
                    file.write(body + "\n")
            if now >= self._object_at + 5:
                self._object_at = now
                self.objects.put(self.output + "progress.json", body.encode())
        except Exception:  # Nobody learns how far it is; it goes on.
            pass

    # Inputs of earlier stages.

    def manifest(self, prefix):
        try:
            return json.loads(self.objects.get(prefix + "manifest.json"))
        except JobFailure:
            raise JobFailure(
                NO_INPUT, "DATA_NO_MANIFEST", f"{prefix} holds no finished output (no manifest.json)."
            ) from None

    def artifact(self, prefix, name, manifest=None):
        """A file that a manifest names, checked against its checksum."""
        files = (manifest or self.manifest(prefix))["files"]
        entry = next((file for file in files if file["name"] == name), None)
        if entry is None:
            raise JobFailure(NO_INPUT, "DATA_FILE_MISSING", f"The manifest of {prefix} names no {name}.")
        body = self.objects.get(prefix + name)
        if sha256(body) != entry["sha256"]:
            raise JobFailure(DATA, "DATA_CHECKSUM", f"{prefix}{name} does not match its checksum.")
        return body

    def passages(self):
        """Passages of the prepared data, in order: id, source, text."""
        prefix = self.input("data")
        manifest = self.manifest(prefix)
        for file in manifest["files"]:
            for line in self.artifact(prefix, file["name"], manifest).decode().splitlines():
                yield json.loads(line)

    # Its output.

    def write(self, name, body):
        """Writes a file of the output and gives its SHA-256."""
        self.objects.put(self.output + name, body)
        digest = sha256(body)
        self._files.append({"name": name, "bytes": len(body), "sha256": digest})
        return digest

    def close(self, facts):
        """Writes the manifest, last: an output without one counts as absent."""
        manifest = {"stage": self.stage, "runId": self.run_id, "attempt": self.attempt}
        body = json.dumps({**manifest, "files": self._files, "facts": facts}, indent=2)
        self.objects.put(self.output + "manifest.json", body.encode())

    # Checkpoints of all attempts of the stage: a body and its SHA-256 behind it.

    def save_checkpoint(self, epoch, step, body):
        """Saves where the training is. One that cannot be written is reported, and the earlier ones stay."""
        uri = f"{self.output}checkpoints/epoch-{epoch:04d}-{step:010d}.ckpt"
        try:
            self.objects.put(uri, body + hashlib.sha256(body).digest())
            for old in self._checkpoints(self.output + "checkpoints/")[2:]:
                self.objects.delete(old)
        except Exception as error:
            self.log("checkpoint not saved", epoch=epoch, error=str(error))

    def _checkpoints(self, prefix):
        found = [uri for uri in self.objects.list(prefix) if uri.endswith(".ckpt")]
        return sorted(found, key=lambda uri: uri.rsplit("/", 1)[1], reverse=True)

    def checkpoints(self):
        """Whole checkpoints of any attempt, furthest first, with their URI; torn ones are skipped."""
        for uri in self._checkpoints(self.inputs.get("checkpoints", self.output)):
            try:
                body = self.objects.get(uri)
            except JobFailure:
                continue
            if len(body) > 32 and hashlib.sha256(body[:-32]).digest() == body[-32:]:
                yield uri, body[:-32]
            else:
                self.log("checkpoint skipped: torn", uri=uri)

    def drop_checkpoints(self):
        for uri in self._checkpoints(self.inputs.get("checkpoints", self.output)):
            self.objects.delete(uri)


def flat_index(dimensions, rows):
    """An index file as FAISS writes IndexFlatIP; `rows` are sequences of floats."""
    body = b"".join(struct.pack(f"<{dimensions}f", *row) for row in rows)
    unused = 1 << 20
    head = struct.pack("<4siqqqBiQ", b"IxFI", dimensions, len(rows), unused, unused, 1, 0, len(rows) * dimensions)
    return head + body


def read_flat_index(body):
    """Rows of an index file that holds an IndexFlatIP."""
    kind, dimensions, rows = struct.unpack_from("<4siq", body)
    if kind != b"IxFI" or len(body) != 45 + rows * dimensions * 4:
        raise JobFailure(DATA, "DATA_INDEX_CORRUPT", "It is no FAISS IndexFlatIP file.")
    return [struct.unpack_from(f"<{dimensions}f", body, 45 + row * dimensions * 4) for row in range(rows)]


def fill_cache(job, entries):
    """Fills Redis where REDIS_URL is set, otherwise a file; `entries` are (id, passage, vector as bytes)."""
    import base64

    lines = []
    for identifier, passage, vector in entries:
        vector64 = base64.b64encode(vector).decode()
        lines.append((identifier, json.dumps({**passage, "vector": vector64}, ensure_ascii=False)))
        job.report(len(lines), unit="entries")
        job.check_interrupted()
    digest = hashlib.sha256("".join(line + "\n" for _, line in lines).encode()).hexdigest()
    facts = {"entries": len(lines), "cacheUri": job.output}
    if job.redis_url is None:
        job.write("cache.jsonl", "".join(line + "\n" for _, line in lines).encode())
        facts["cache"] = "file"
    else:
        facts.update(cache="redis", redisPrefix=_fill_redis(job, lines))
    job.close(facts)
    return {**facts, "checksums": {"cache": digest}}


def _fill_redis(job, lines):
    import redis

    prefix = f"epsilon:{job.tenant_id}:{job.run_id}"
    try:
        client = redis.Redis.from_url(job.redis_url, socket_connect_timeout=5)
        for at in range(0, len(lines), 500):
            client.hset(f"{prefix}:passages", mapping=dict(lines[at:at + 500]))
        stored = client.hlen(f"{prefix}:passages")
    except redis.RedisError as error:
        # The address may hold a password and stays out.
        message = str(error).replace(job.redis_url, "(url)")
        raise JobFailure(TRY_AGAIN, "CACHE_UNAVAILABLE", f"Redis did not take the entries: {message}.") from None
    if stored != len(lines):
        raise JobFailure(TRY_AGAIN, "CACHE_INCOMPLETE", f"Redis holds {stored} of {len(lines)} entries.")
    return prefix


def _write_result(result):
    path = os.environ.get("EPSILON_RESULT_PATH")
    body = json.dumps(result).encode()
    if len(body) > LARGEST_RESULT:
        raise JobFailure(1, "RESULT_TOO_LARGE", f"The result has more than {LARGEST_RESULT} bytes.")
    if path is None:
        return
    if path.startswith("/dev/"):
        with open(path, "wb") as file:
            file.write(body)
        return
    with open(path + ".tmp", "wb") as file:
        file.write(body)
    os.replace(path + ".tmp", path)


def _as_failure(error):
    if isinstance(error, JobFailure):
        return error
    if isinstance(error, Interrupted):
        return JobFailure(TERMINATED, "INTERRUPTED", "Stopped on request; the last checkpoint stays.")
    passing = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.ECONNREFUSED)
    return JobFailure(TRY_AGAIN if passing else 1, type(error).__name__, str(error) or type(error).__name__)


def _fail(error, job):
    failure = _as_failure(error)
    result = {"error": {"code": failure.code, "message": failure.message[:1000]}}
    try:
        if job is not None and failure.exit_code != TERMINATED:
            job.objects.put(job.output + "result.json", json.dumps(result).encode())
    except Exception:  # The failure is on standard error too.
        pass
    try:
        _write_result(result)
    except Exception:
        pass
    line = {"timestamp": _now(), "level": "ERROR", "code": failure.code, "message": failure.message}
    print(json.dumps(line), file=sys.stderr, flush=True)
    sys.exit(failure.exit_code)


def _arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("tenant-id", "output", "model-type", "epochs", "model-path"):
        parser.add_argument(f"--{name}")
    for name in ("build-index", "refresh-cache", "query"):
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args()


def run(stages, query=None):
    """Runs the stage that the environment names: stage name to a function of the job that gives the result's facts."""
    job = None
    try:
        args = _arguments()
        if args.query:
            return answer(query)
        job = Job(args.tenant_id, args)
        if job.stage not in stages:
            raise JobFailure(USAGE, "USAGE", f"This program has no stage {job.stage} ({', '.join(stages)}).")
        began = time.monotonic()
        facts = stages[job.stage](job)
        result = {**facts, "seconds": round(time.monotonic() - began, 3)}
        job.objects.put(job.output + "result.json", json.dumps(result).encode())
        _write_result(result)
        job.log("stage done", **result)
    except Exception as error:
        _fail(error, job)


def answer(open_model):
    """The query command: a line of JSON with a text in, a line with its vector out, null where the model knows no word.

    `open_model` gets the objects and the prefix of the model, and gives a function from text to a list of floats.
    """
    _check_contract()
    if open_model is None:
        raise JobFailure(USAGE, "USAGE", "This program answers no questions.")
    embed = open_model(_objects(), _inputs()["model"])
    for line in sys.stdin:
        vector = embed(json.loads(line)["text"])
        print(json.dumps({"vector": None if vector is None else [float(value) for value in vector]}), flush=True)
