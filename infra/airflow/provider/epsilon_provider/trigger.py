"""Waits for the end of an execution in the triggerer, without a blocking call: by asking, sooner where a queue brings its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.hooks.step_function import StepFunctionHook
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async
from botocore.exceptions import BotoCoreError, ClientError

from epsilon_provider.ends import reader_of
from epsilon_provider.hook import KILLED

#: Airflow from 3.3 on says which cancellation is a user's; 2.11 has to be asked what became of the task.
SAYS_WHO_KILLS = hasattr(BaseTrigger, "on_kill")


def waits_no_more(trigger_id: int | None, ti) -> bool:
    """Whether the task no longer waits for this trigger (2.11): it was marked, cleared or timed out. Blocking: it reads the database."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select

    with create_session() as session:
        found = session.execute(
            select(TaskInstance.state, TaskInstance.trigger_id).where(
                TaskInstance.dag_id == ti.dag_id,
                TaskInstance.run_id == ti.run_id,
                TaskInstance.task_id == ti.task_id,
                TaskInstance.map_index == ti.map_index,
            )
        ).one_or_none()
    return found is None or found.state != TaskInstanceState.DEFERRED or found.trigger_id != trigger_id


class EpsilonExecutionTrigger(BaseTrigger):
    """Fires when an execution has ended.

    With `stops`, the execution is stopped when a user kills the waiting task: marks it as failed or as succeeded, or clears it. A
    triggerer that ends or restarts stops nothing: the next one waits on.
    """

    def __init__(
        self,
        *,
        execution_arn: str,
        aws_conn_id: str | None,
        region_name: str | None,
        poll_seconds: float,
        stops: bool,
        cause: str,
        queue_url: str | None = None,
    ):
        super().__init__()
        self.execution_arn = execution_arn
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.poll_seconds = poll_seconds
        self.stops = stops
        self.cause = cause
        self.queue_url = queue_url

    def serialize(self) -> tuple[str, dict[str, Any]]:
        fields = ("execution_arn", "aws_conn_id", "region_name", "poll_seconds", "stops", "cause", "queue_url")
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {field: getattr(self, field) for field in fields},
        )

    def _hook(self) -> StepFunctionHook:
        return StepFunctionHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)

    async def _ended(self) -> None:
        """Returns when the execution has ended; what keeps one question from being answered does not end the wait."""
        async with await self._hook().get_async_conn() as client:
            while True:
                try:
                    found = await client.describe_execution(executionArn=self.execution_arn)
                    if found["status"] not in ("RUNNING", "PENDING_REDRIVE"):
                        return
                except (BotoCoreError, ClientError, asyncio.TimeoutError, OSError) as error:
                    if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                        return
                    self.log.warning("Asking for %s failed, it is asked for again: %s", self.execution_arn, error)
                if self.queue_url is None:
                    await asyncio.sleep(self.poll_seconds)
                else:
                    reader = reader_of(self.queue_url, self.aws_conn_id, self.region_name)
                    await reader.wait(self.execution_arn, self.poll_seconds)

    async def _stop(self) -> None:
        async with await self._hook().get_async_conn() as client:
            await client.stop_execution(executionArn=self.execution_arn, error=KILLED, cause=self.cause)
        self.log.info("Stopped %s: its task was killed.", self.execution_arn)

    async def on_kill(self) -> None:
        """Called by Airflow from 3.3 on when a user kills the task."""
        if self.stops:
            await self._stop()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        try:
            await self._ended()
        except asyncio.CancelledError:
            if not SAYS_WHO_KILLS and self.stops:
                ti = self.task_instance
                if await sync_to_async(waits_no_more)(self.trigger_id, ti):
                    await self._stop()
            raise
        yield TriggerEvent({"execution_arn": self.execution_arn})
