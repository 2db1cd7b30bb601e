"""Plays the pods of epsilon_stage: what the job does is the last word of its arguments. A pod that is removed is noted in a file."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator


def play(self, context):
    does = context["dag_run"].conf["arguments"][-1]
    if does == "waits":
        time.sleep(300)
    code = {"succeeds": 0, "fails": 1, "rejects": 65}[does]
    state = SimpleNamespace(terminated=SimpleNamespace(exit_code=code, message=""))
    status = SimpleNamespace(container_statuses=[SimpleNamespace(name="job", state=state)])
    self.remote_end = SimpleNamespace(status=status)
    if code != 0:
        raise RuntimeError(f"the pod ended with {code}")


def listed(namespace, label_selector):
    name = label_selector.removeprefix("epsilon/job=")
    return SimpleNamespace(items=[SimpleNamespace(metadata=SimpleNamespace(name=f"{name}-left"))])


def remove(name, namespace):
    with Path(os.environ["AIRFLOW_HOME"], "removed").open("a") as removed:
        removed.write(f"{namespace}/{name}\n")


KubernetesPodOperator.execute = play
KubernetesPodOperator.client = SimpleNamespace(list_namespaced_pod=listed, delete_namespaced_pod=remove)
