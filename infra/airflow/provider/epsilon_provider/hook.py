"""The connection type "epsilon", and what is asked of the state machines behind it."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Any

from airflow.providers.amazon.aws.hooks.step_function import StepFunctionHook
from airflow.providers.amazon.aws.hooks.sts import StsHook
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, BaseHook
from botocore.exceptions import ClientError

#: Statuses in which an execution has ended otherwise than by success.
FAILED = ("FAILED", "TIMED_OUT", "ABORTED")

#: Seconds between two questions for an execution, and where a queue brings its end.
POLL_SECONDS = 15
POLL_SECONDS_BESIDE_EVENTS = 300

#: Error of an execution that was stopped because its task was; the cause names the try.
KILLED = "AirflowTaskKilled"


class EpsilonHook(BaseHook):
    """One environment of Epsilon on AWS, reached through the amazon provider's Step Functions hook.

    Extras of the connection: `environment` (dev, staging, prod), `aws_conn_id` (the connection whose role may start, describe, stop and
    redrive executions of the environment's machines; "aws_default" where it is absent), `region_name`, `account_id`, without which
    the caller's own account is asked for, and `ends_queue_url`: the queue of infra/airflow/ends-queue.yml, whose events end the wait of
    deferred operators at once.
    """

    conn_name_attr = "epsilon_conn_id"
    default_conn_name = "epsilon_default"
    conn_type = "epsilon"
    hook_name = "Epsilon"

    def __init__(self, epsilon_conn_id: str = default_conn_name, **kwargs):
        super().__init__(**kwargs)
        self.epsilon_conn_id = epsilon_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        return {
            "hidden_fields": ["host", "port", "schema", "login", "password"],
            "relabeling": {},
            "placeholders": {
                "extra": json.dumps(
                    {"environment": "prod", "region_name": "us-west-2", "aws_conn_id": "aws_default"}
                )
            },
        }

    @cached_property
    def extras(self) -> dict[str, Any]:
        return self.get_connection(self.epsilon_conn_id).extra_dejson

    @cached_property
    def environment(self) -> str:
        named = self.extras.get("environment")
        if not named:
            raise AirflowFailException(
                f'The connection {self.epsilon_conn_id} names no environment: add "environment" to its extras.'
            )
        return named

    @cached_property
    def step_functions(self) -> StepFunctionHook:
        return StepFunctionHook(
            aws_conn_id=self.extras.get("aws_conn_id", "aws_default"), region_name=self.extras.get("region_name")
        )

    @property
    def ends_queue_url(self) -> str | None:
        return self.extras.get("ends_queue_url") or None

    @cached_property
    def account_id(self) -> str:
        named = self.extras.get("account_id")
        if named:
            return named
        return StsHook(
            aws_conn_id=self.extras.get("aws_conn_id", "aws_default"), region_name=self.extras.get("region_name")
        ).get_account_number()

    def _arn(self, kind: str, machine: str) -> str:
        step_functions = self.step_functions
        place = f"{step_functions.conn_region_name}:{self.account_id}"
        return f"arn:{step_functions.conn_partition}:states:{place}:{kind}:epsilon-{self.environment}-{machine}"

    def machine_arn(self, machine: str) -> str:
        """The alias through which a machine is started, so that an execution ends on the version it began with."""
        return f"{self._arn('stateMachine', machine)}:live"

    def execution_arn(self, machine: str, name: str) -> str:
        return f"{self._arn('execution', machine)}:{name}"

    def describe(self, execution_arn: str) -> dict | None:
        """The execution; None where there is none."""
        try:
            return self.step_functions.describe_execution(execution_arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                return None
            raise

    def start(self, machine: str, name: str, machine_input: dict) -> str:
        """Starts an execution; one of that name that runs with the same input is the same one."""
        return self.step_functions.start_execution(
            self.machine_arn(machine), name=name, state_machine_input=json.dumps(machine_input, sort_keys=True)
        )

    def redrive(self, execution_arn: str) -> bool:
        """Continues a failed execution where it failed: what has succeeded does not run again. False where it is too old for that."""
        try:
            self.step_functions.get_conn().redrive_execution(executionArn=execution_arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionNotRedrivable":
                return False
            raise
        return True

    def stop(self, execution_arn: str, cause: str) -> None:
        """Stops an execution; one that has ended is left alone."""
        self.step_functions.get_conn().stop_execution(executionArn=execution_arn, error=KILLED, cause=cause)

    def test_connection(self) -> tuple[bool, str]:
        try:
            self.step_functions.get_conn().list_executions(
                stateMachineArn=self._arn("stateMachine", "tenant-model-training"), maxResults=1
            )
        except Exception as error:  # noqa: BLE001: whatever it is, it is the answer
            return False, str(error)
        return True, f"Epsilon {self.environment} answers."


def execution_name(ti, number: int) -> str:
    """Name of a task's execution: the same one for every try, with a number behind it when a later try begins another one."""
    of = f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{getattr(ti, 'map_index', -1)}"
    base = f"airflow-{hashlib.sha256(of.encode()).hexdigest()[:24]}"
    return base if number == 1 else f"{base}-{number}"


def cause_of(ti) -> str:
    """How a try is named in what it stops."""
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id} try {ti.try_number}"


def has_ended(execution: dict | None) -> bool:
    return execution is not None and (execution["status"] == "SUCCEEDED" or execution["status"] in FAILED)


def outcome_of(execution: dict | None) -> Any:
    """The output of an execution that has succeeded; an error that names error and cause for any other end."""
    if execution is None:
        raise AirflowException("The execution does not exist any more: Step Functions forgets one 90 days after its end.")
    if execution["status"] == "SUCCEEDED":
        return json.loads(execution.get("output") or "null")
    error, cause = execution.get("error") or execution["status"], execution.get("cause") or "no cause is on record"
    raise AirflowException(f"{execution['executionArn']} is {execution['status']}: {error}: {cause}")
