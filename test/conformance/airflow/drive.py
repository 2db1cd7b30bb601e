"""Runs an exported DAG to its end in this process, as Airflow's own `airflow dags test` does, with played pods.

Arguments: the folder of DAGs, the DAG, its parameters as JSON, how the pods end as JSON (stage to exit code and result; null
where the pods go to a real API server). Prints the states of all tasks and the pods that would have been started, as the last line of its output.
"""

import json
import sys
from types import SimpleNamespace

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import ApiClient

folder, dag_id, params, plays = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
pods = []


def play(self, context):
    pod = ApiClient().sanitize_for_serialization(self.build_pod_request_obj(context))
    pods.append({"task": self.task_id, "pod": pod})
    how = plays[self.stage]
    ended = SimpleNamespace(exit_code=how["exitCode"], message=json.dumps(how["result"]))
    state = SimpleNamespace(terminated=ended)
    status = SimpleNamespace(container_statuses=[SimpleNamespace(name="job", state=state)])
    self.remote_end = SimpleNamespace(status=status)
    if how["exitCode"] != 0:
        raise RuntimeError(f"the pod ended with {how['exitCode']}")


if plays is not None:
    KubernetesPodOperator.execute = play

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag

sys.path.insert(0, folder)
bag = DagBag(dag_folder=folder)
dag = bag.dags[dag_id]
for one in dag.tasks:
    one.retries = 0
run = dag.test(run_conf=params)
states = {one.task_id: str(getattr(one.state, "value", one.state)) for one in run.get_task_instances()}
state = str(getattr(run.state, "value", run.state))
print("\n" + json.dumps({"state": state, "runId": run.run_id, "tasks": states, "pods": pods}))
