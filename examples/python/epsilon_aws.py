"""Credentials of a job on AWS, by boto3: lent on Batch (EPSILON_CREDENTIALS_URL), else by taking EPSILON_JOB_ROLE_ARN."""

import json
import os
import time
import urllib.error
import urllib.request

# Tries, two seconds apart: the job's id is on record only seconds after the job may have begun.
TRIES = 30


def _lent():
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.session import get_session

    url = os.environ["EPSILON_CREDENTIALS_URL"]
    body = json.dumps(
        {
            "runId": os.environ["EPSILON_RUN_ID"],
            "stage": os.environ["EPSILON_TRAINING_STAGE"],
            "attempt": int(os.environ["EPSILON_ATTEMPT"]),
        }
    )
    for _ in range(TRIES):
        request = AWSRequest("POST", url, data=body, headers={"content-type": "application/json"})
        SigV4Auth(get_session().get_credentials(), "execute-api", os.environ["AWS_REGION"]).add_auth(request)
        asked = urllib.request.Request(url, body.encode(), dict(request.headers), method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=30) as response:
                given = json.load(response)
            return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], given["Expiration"]
        except urllib.error.HTTPError as error:
            if error.code not in (409, 429) and error.code < 500:
                raise
        time.sleep(2)
    raise RuntimeError("No credentials were lent.")


def _taken():
    import boto3

    tenant = os.environ["EPSILON_OUTPUT"].split("/")[3]
    tags = {**json.loads(os.environ.get("EPSILON_SESSION_TAGS", "{}")), "TenantId": tenant}
    name = f"{os.environ['EPSILON_RUN_ID']}-{os.environ['EPSILON_TRAINING_STAGE']}"[:64]
    given = boto3.client("sts").assume_role(
        RoleArn=os.environ["EPSILON_JOB_ROLE_ARN"],
        RoleSessionName=name,
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )["Credentials"]
    expiration = given["Expiration"].isoformat()
    return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], expiration


def session():
    """A boto3 session of the attempt's tenant, whose credentials are renewed before they end."""
    import boto3
    from botocore.credentials import RefreshableCredentials
    from botocore.session import get_session

    def ask():
        access, secret, token, expiration = (_lent if "EPSILON_CREDENTIALS_URL" in os.environ else _taken)()
        return {"access_key": access, "secret_key": secret, "token": token, "expiry_time": expiration}

    core = get_session()
    core._credentials = RefreshableCredentials.create_from_metadata(ask(), ask, "epsilon")
    core.set_config_variable("region", os.environ["AWS_REGION"])
    return boto3.Session(botocore_session=core)
