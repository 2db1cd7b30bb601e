"""
Turns the recorded tests of a checkout of LocalStack into recordings for `epsilon asl verify`.

Their tests of Step Functions were run against AWS, and the histories that AWS gave stand beside them with identities and
instants masked. pytest runs these tests here with everything of LocalStack replaced by stand-ins: what a test would start
(definition and input) is written to $RECORDINGS together with the history that is stored under the test's name.
"""
import ast
import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import re
import sys
import types

import pytest

RECORDINGS = pathlib.Path(os.environ["RECORDINGS"])
SUITE = "tests/aws/services/stepfunctions/v2"
ARN = "arn:aws:lambda:us-east-1:111111111111:function:stub"
STAND_INS = ("localstack", "localstack_snapshot", "aws_cdk", "botocore", "jsonpath_ng")


class AnyName(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Answer()


class Answer(str, metaclass=AnyName):
    """A text that may be called, indexed and asked for any attribute: what the service would have answered."""

    def __new__(cls, *_args, **_named):
        return super().__new__(cls, ARN)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return note_object if name == "put_object" else Answer()

    def __call__(self, *_args, **_named):
        return Answer()

    def __getitem__(self, key):
        return super().__getitem__(key) if isinstance(key, (int, slice)) else Answer()

    def __enter__(self):
        return self

    def __exit__(self, *_args):
        return False


class Marker:
    """Decorators that leave a test as it is."""

    def __getattr__(self, name):
        return Marker()

    def __call__(self, *args, **_named):
        if len(args) == 1 and isinstance(args[0], (types.FunctionType, type)):
            return args[0]
        return lambda decorated: decorated


started = []
objects = []


def note_object(Bucket="", Key="", Body="", **_named):
    objects.append((f"{Bucket}/{Key}", Body if isinstance(Body, bytes) else str(Body).encode()))
    return Answer()


def note_start(*args, **named):
    values = dict(zip(("client", "role", "create", "snapshot", "definition", "execution_input"), args))
    values.update(named)
    started.append((values["definition"], values.get("execution_input", "{}")))
    return Answer()


class StandIn(types.ModuleType):
    def __getattr__(self, name):
        if name == "__path__":
            return []
        if name.startswith("__"):
            raise AttributeError(name)
        known = {
            "markers": Marker(),
            "create_and_record_execution": note_start,
            "is_aws_cloud": lambda: True,
            "short_uid": lambda: "uid",
            "ClientError": Exception,
        }
        if name in known:
            return known[name]
        return AnyName(name, (Answer,), {}) if name[0].isupper() else Answer()


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in STAND_INS or name == "tests.aws.test_notifications":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Finder())


def fixture_called(name):
    @pytest.fixture(name=name)
    def fixture():
        return Answer()

    return fixture


for file in pathlib.Path(SUITE).rglob("test_*.py"):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef):
            for argument in node.args.args:
                if argument.arg not in ("self", "request", "monkeypatch", "tmp_path"):
                    globals()["fixture_" + argument.arg] = fixture_called(argument.arg)


def masked(recorded, given, found):
    """Pairs of a masked text and what the test really gave, where the stored input and the real one differ."""
    if isinstance(recorded, dict) and isinstance(given, dict):
        for key in recorded.keys() & given.keys():
            masked(recorded[key], given[key], found)
    elif isinstance(recorded, str) and isinstance(given, str) and recorded != given:
        found.append((recorded, given))


def unmasked(value, pairs):
    if isinstance(value, list):
        return [unmasked(each, pairs) for each in value]
    if isinstance(value, dict):
        # An event's own instant stays masked: it is not compared.
        return {key: each if key == "timestamp" else unmasked(each, pairs) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    for mask, text in pairs:
        if value == mask:
            return text
        # Inside JSON text and inside causes a masked value stands in quotes.
        value = re.sub(rf'(?<=["\':\s]){re.escape(mask)}(?=["\'.\s\\])', lambda _: text, value)
    return value.replace("arn:<partition>:", "arn:aws:")


def as_texts(value):
    """The service's fields that hold JSON as text, which the stored form has as values."""
    if isinstance(value, list):
        return [as_texts(each) for each in value]
    if not isinstance(value, dict):
        return value
    texts = {}
    for key, each in value.items():
        if key in ("input", "output", "parameters", "cause") and isinstance(each, (dict, list)):
            texts[key] = json.dumps(each)
        elif key == "assignedVariables":
            texts[key] = {n: json.dumps(v) if isinstance(v, (dict, list)) else v for n, v in each.items()}
        else:
            texts[key] = as_texts(each)
    return texts


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    started.clear()
    objects.clear()
    yield
    stored = pathlib.Path(str(item.path).replace(".py", ".snapshot.json"))
    if len(started) != 1 or not stored.exists():
        return
    content = json.loads(stored.read_text()).get(item.nodeid, {}).get("recorded-content", {})
    history = content.get("get_execution_history")
    definition, given = started[0]
    if not history or "JSONata" not in definition:
        return
    folder = RECORDINGS / re.sub(r"[^\w.-]+", "-", item.nodeid.split("/v2/")[1]).strip("-")
    folder.mkdir(parents=True, exist_ok=True)
    events = history["events"]
    pairs = []
    masked(events[0]["executionStartedEventDetails"].get("input"), json.loads(given), pairs)
    (folder / "machine.asl.json").write_text(definition)
    (folder / "input.json").write_text(given)
    (folder / "history.json").write_text(json.dumps({"events": as_texts(unmasked(events, pairs))}, indent=1))
    for name, body in objects:
        file = folder / "objects" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
