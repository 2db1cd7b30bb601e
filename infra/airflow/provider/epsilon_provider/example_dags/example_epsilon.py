"""Trains one tenant with Epsilon, after its data has been loaded and before anything is done with its model."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG, Param

from epsilon_provider.operator import EpsilonRunOperator
from epsilon_provider.sensor import EpsilonExecutionSensor

with DAG(
    dag_id="example_epsilon",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    params={"tenant_id": Param("acme", type="string"), "night": Param("", type="string")},
    tags=["epsilon", "example"],
) as dag:
    EpsilonRunOperator(
        task_id="train",
        machine="tenant-model-training",
        machine_input={"tenantId": "{{ params.tenant_id }}"},
        deferrable=True,
        retries=2,
        retry_delay=timedelta(minutes=5),
    )
    # Waits for a night that Epsilon's own schedule began; its name is in "epsilon executions nightly-training".
    EpsilonExecutionSensor(
        task_id="wait_for_night", machine="nightly-training", name="{{ params.night }}", deferrable=True
    )
