"""Runs a state machine of Epsilon as a task."""

from __future__ import annotations

from collections.abc import Sequence
from time import sleep
from typing import Any

from airflow.configuration import conf
from airflow.providers.common.compat.sdk import BaseOperator

from epsilon_provider.hook import (
    FAILED,
    KILLED,
    POLL_SECONDS,
    POLL_SECONDS_BESIDE_EVENTS,
    EpsilonHook,
    cause_of,
    execution_name,
    has_ended,
    outcome_of,
)
from epsilon_provider.trigger import EpsilonExecutionTrigger


class EpsilonRunOperator(BaseOperator):
    """Starts an execution of a machine, waits for its end and returns its output (XCom).

    A later try goes on with what an earlier one began: it waits for an execution that runs and redrives one that failed, so that no
    stage that has succeeded runs again. After a success, a task that is cleared begins another execution.

    When a user kills the task (marks or clears it), the execution is stopped, also while the task is deferred.

    :param machine: key of the machine, as "tenant-model-training".
    :param machine_input: its input, as {"tenantId": "acme"}; "nightly-training" and "data-quality-check" take {"trigger": "manual"}.
    :param epsilon_conn_id: connection of the type "epsilon".
    :param deferrable: waits in the triggerer instead of holding a worker.
    :param poll_seconds: seconds between two questions for the execution; 15, or 300 in a deferral beside a queue of ends (`ends_queue_url` of
        the connection).
    """

    template_fields: Sequence[str] = ("machine", "machine_input", "epsilon_conn_id")
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        machine: str,
        machine_input: dict[str, Any] | None = None,
        epsilon_conn_id: str = EpsilonHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_seconds: float | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.machine = machine
        self.machine_input = machine_input
        self.epsilon_conn_id = epsilon_conn_id
        self.deferrable = deferrable
        self.poll_seconds = poll_seconds
        self.execution_arn: str | None = None
        self.stopped_because = ""

    @property
    def hook(self) -> EpsilonHook:
        return EpsilonHook(self.epsilon_conn_id)

    def execute(self, context):
        ti = context["ti"]
        hook = self.hook
        self.execution_arn = self._begin(hook, ti)
        ti.xcom_push(key="execution_arn", value=self.execution_arn)
        self.stopped_because = cause_of(ti)
        if self.deferrable:
            self._defer(hook)
        while True:
            found = hook.describe(self.execution_arn)
            if has_ended(found) and not self._goes_on(hook, found):
                return outcome_of(found)
            sleep(POLL_SECONDS if self.poll_seconds is None else self.poll_seconds)

    def _goes_on(self, hook: EpsilonHook, found: dict) -> bool:
        """Redrives an execution that an earlier try stopped after this one had taken it over."""
        if found["status"] != "ABORTED" or found.get("error") != KILLED or found.get("cause") == self.stopped_because:
            return False
        hook.redrive(found["executionArn"])
        return True

    def _defer(self, hook: EpsilonHook) -> None:
        queue_url = hook.ends_queue_url
        usual = POLL_SECONDS if queue_url is None else POLL_SECONDS_BESIDE_EVENTS
        trigger = EpsilonExecutionTrigger(
            execution_arn=self.execution_arn,
            aws_conn_id=hook.extras.get("aws_conn_id", "aws_default"),
            region_name=hook.step_functions.conn_region_name,
            poll_seconds=usual if self.poll_seconds is None else self.poll_seconds,
            stops=True,
            cause=self.stopped_because,
            queue_url=queue_url,
        )
        self.defer(trigger=trigger, method_name="execute_complete")

    def _begin(self, hook: EpsilonHook, ti) -> str:
        """The execution that this try waits for."""
        newest, found = self._newest(hook, ti)
        if found is None:
            return hook.start(self.machine, execution_name(ti, 1), self.machine_input or {})
        arn = found["executionArn"]
        if not has_ended(found) or (found["status"] == "SUCCEEDED" and newest == ti.try_number):
            self.log.info("Going on with %s, which is %s.", arn, found["status"])
            return arn
        if found["status"] in FAILED and hook.redrive(arn):
            self.log.info("Redriving %s, which is %s.", arn, found["status"])
            return arn
        return hook.start(self.machine, execution_name(ti, ti.try_number), self.machine_input or {})

    def _newest(self, hook: EpsilonHook, ti) -> tuple[int, dict | None]:
        """The newest execution of this task's tries, and the try that began it."""
        for number in range(ti.try_number, 0, -1):
            found = hook.describe(hook.execution_arn(self.machine, execution_name(ti, number)))
            if found is not None:
                return number, found
        return 0, None

    def execute_complete(self, context, event: dict[str, Any]) -> Any:
        hook = self.hook
        self.execution_arn = event["execution_arn"]
        self.stopped_because = cause_of(context["ti"])
        found = hook.describe(self.execution_arn)
        if self._goes_on(hook, found):
            self._defer(hook)
        return outcome_of(found)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context):
        """Nobody waits for the execution of a deferral that failed or took too long."""
        if next_method == "__fail__":
            ti = context["ti"]
            arn = ti.xcom_pull(task_ids=ti.task_id, key="execution_arn", map_indexes=ti.map_index)
            if arn:
                self.hook.stop(arn, cause_of(ti))
        return super().resume_execution(next_method, next_kwargs, context)

    def on_kill(self) -> None:
        """Called in the worker; while the task is deferred the trigger does the same."""
        if self.execution_arn:
            self.hook.stop(self.execution_arn, self.stopped_because)
