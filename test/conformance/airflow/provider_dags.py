"""DAGs with the operator and the sensor of Epsilon's provider; what an execution does is said in its input."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, Param

from epsilon_provider.operator import EpsilonRunOperator
from epsilon_provider.sensor import EpsilonExecutionSensor

common = {"schedule": None, "start_date": datetime(2026, 1, 1), "catchup": False, "is_paused_upon_creation": False}
params = {"does": Param("succeeds", type="string")}

for dag_id, deferrable, retries in (("deferred", True, 0), ("again", True, 1), ("held", False, 0), ("eventful", True, 0)):
    with DAG(dag_id=dag_id, params=params, **common) as dag:
        EpsilonRunOperator(
            task_id="train",
            machine="tenant-model-training",
            machine_input={"tenantId": "acme", "does": "{{ params.does }}"},
            deferrable=deferrable,
            epsilon_conn_id="epsilon_events" if dag_id == "eventful" else "epsilon_default",
            poll_seconds=600 if dag_id == "eventful" else 1,
            retries=retries,
            retry_delay=timedelta(seconds=1),
        )
    globals()[dag_id] = dag

with DAG(dag_id="watched", params={"name": Param("", type="string")}, **common) as watched:
    EpsilonExecutionSensor(
        task_id="train", machine="nightly-training", name="{{ params.name }}", deferrable=True, poke_interval=1
    )
