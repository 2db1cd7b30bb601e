"""Prints as JSON what Airflow reads of a folder of DAGs: errors, and of each DAG its schedule, tasks and dependencies."""

import json
import sys

import airflow

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag

folder = sys.argv[1]
sys.path.insert(0, folder)
bag = DagBag(dag_folder=folder)


def task(one):
    return {
        "downstream": sorted(one.downstream_task_ids),
        "retries": one.retries,
        "retryDelaySeconds": one.retry_delay.total_seconds(),
        "timeoutSeconds": one.execution_timeout.total_seconds() if one.execution_timeout else None,
        "class": type(one).__mro__[0].__name__,
    }


def schedule(dag):
    return getattr(dag, "schedule", None) or getattr(dag, "schedule_interval", None)


print(
    json.dumps(
        {
            "version": airflow.__version__,
            "errors": {path: text[-2000:] for path, text in bag.import_errors.items()},
            "dags": {
                dag.dag_id: {
                    "schedule": str(schedule(dag)),
                    "catchup": dag.catchup,
                    "maxActiveRuns": dag.max_active_runs,
                    "tasks": {one.task_id: task(one) for one in dag.tasks},
                }
                for dag in bag.dags.values()
            },
        }
    )
)
