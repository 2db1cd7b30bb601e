"""Runs one job for Epsilon: each run of this DAG is one attempt of a stage, started by Epsilon through the REST API.

The run's configuration is the job contract with the whole pod. Nothing is tried again here: whose fault a failure was, and
whether there is another attempt, is decided by Epsilon.
"""

from __future__ import annotations

from datetime import datetime

from epsilon_tasks import DAG, EpsilonJobOperator

with DAG(
    dag_id="epsilon_stage",
    default_args={"owner": "ml-team", "depends_on_past": False, "retries": 0},
    schedule=None,
    start_date=datetime(2000, 1, 1),
    catchup=False,
    # Jobs that Airflow runs for Epsilon at a time; Epsilon refuses to submit where it is less than it asks for.
    max_active_runs=16,
    is_paused_upon_creation=False,
    tags=["epsilon"],
) as dag:
    EpsilonJobOperator(task_id="job", name="epsilon-job", namespace="ml-jobs")
