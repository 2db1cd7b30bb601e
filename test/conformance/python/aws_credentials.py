"""Checks examples/python/epsilon_aws.py and the objects of epsilon_job.py against moto and a stand-in for the API that lends credentials.

Prints a JSON list of [what, whether it holds]. Needs boto3 and moto; epsilon_job and epsilon_aws are found by PYTHONPATH.
"""

import json
import os
import threading
import urllib.error
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
from moto import mock_aws

import epsilon_aws
import epsilon_job

checked = []


def check(what, holds):
    checked.append([what, bool(holds)])


asked = []
answers = []


class Lender(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        asked.append((dict(self.headers), json.loads(body)))
        status, answer = answers.pop(0)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def lent(key, seconds):
    end = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return {"AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": end.isoformat()}


os.environ.update(
    AWS_ACCESS_KEY_ID="AKIAJOB",
    AWS_SECRET_ACCESS_KEY="secret",
    AWS_SESSION_TOKEN="token",
    AWS_REGION="us-west-2",
    EPSILON_RUN_ID="acme-2026-11-24",
    EPSILON_TRAINING_STAGE="train",
    EPSILON_ATTEMPT="2",
    EPSILON_OUTPUT="s3://data/acme/runs/acme-2026-11-24/train/2/",
)
waited = []
epsilon_aws.time.sleep = waited.append

server = HTTPServer(("127.0.0.1", 0), Lender)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["EPSILON_CREDENTIALS_URL"] = f"http://127.0.0.1:{server.server_port}/credentials"

answers[:] = [(409, {}), (429, {}), (503, {}), (200, lent("AKIALENT", 3600))]
session = epsilon_aws.session()
headers, body = asked[-1]
check("asks again, two seconds apart, while the job is not on record or the API is busy", waited == [2, 2, 2])
check("says which attempt it is", body == {"runId": "acme-2026-11-24", "stage": "train", "attempt": 2})
authorization = {name.lower(): value for name, value in headers.items()}["authorization"]
check("signs as its own role, for execute-api", "AKIAJOB" in authorization and "/us-west-2/execute-api/" in authorization)
check("works with the credentials that were lent", session.get_credentials().access_key == "AKIALENT")
check("works in the region of the environment", session.region_name == "us-west-2")

answers[:] = [(200, lent("AKIAOLD", 30)), (200, lent("AKIANEW", 3600))]
session = epsilon_aws.session()
check("renews credentials before they end", session.get_credentials().get_frozen_credentials().access_key == "AKIANEW")

answers[:] = [(403, {})]
try:
    epsilon_aws.session()
    check("does not ask again when it is refused", False)
except urllib.error.HTTPError as error:
    check("does not ask again when it is refused", error.code == 403 and answers == [])

del os.environ["EPSILON_CREDENTIALS_URL"]
os.environ["EPSILON_JOB_ROLE_ARN"] = "arn:aws:iam::123456789012:role/tenant-jobs"
os.environ["EPSILON_SESSION_TAGS"] = json.dumps({"Attempt": "2"})

with mock_aws():
    made = boto3.client
    calls = []

    def client(name):
        found = made(name, region_name="us-west-2")
        take = found.assume_role

        def assume_role(**given):
            calls.append(given)
            return take(**given)

        found.assume_role = assume_role
        return found

    boto3.client = client
    session = epsilon_aws.session()
    boto3.client = made
    [given] = calls
    tags = {tag["Key"]: tag["Value"] for tag in given["Tags"]}
    check("takes the role of the environment", given["RoleArn"] == os.environ["EPSILON_JOB_ROLE_ARN"])
    check("as its tenant, with the tags of its attempt", tags == {"Attempt": "2", "TenantId": "acme"})
    check("under a name that STS takes", 2 <= len(given["RoleSessionName"]) <= 64)
    check("works with the credentials of the role", session.get_credentials().access_key.startswith("ASIA"))

    made("s3", region_name="us-west-2").create_bucket(
        Bucket="data", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    objects = epsilon_job.S3Objects()
    for number in range(1001):
        objects.put(f"s3://data/acme/many/{number:04d}", b"x")
    objects.put("s3://data/acme2/other", b"y")
    check("lists more objects than a page has, of its prefix alone", len(objects.list("s3://data/acme/")) == 1001)
    check("reads what it wrote", objects.get("s3://data/acme/many/0007") == b"x")
    objects.delete("s3://data/acme/many/0007")
    try:
        objects.get("s3://data/acme/many/0007")
        check("misses an object as the contract says", False)
    except epsilon_job.JobFailure as failure:
        check("misses an object as the contract says", (failure.exit_code, failure.code) == (66, "OBJECT_NOT_FOUND"))

    objects.put("s3://data/acme/model/manifest.json", b'{"files": [], "facts": {}}')
    out = epsilon_job._objects()
    check("uses S3 where no folder of objects is set", isinstance(out, epsilon_job.S3Objects))

print(json.dumps(checked))
