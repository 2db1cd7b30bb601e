"""Cancels triggers of Epsilon's provider as a triggerer does, with the task in the states that it may be in then.

On 2.11 the database of AIRFLOW_HOME has a task instance of the DAG "deferred". Prints facts, as name, seen, wanted, as the last line of
its output.
"""

import asyncio
import json
import os
from importlib import import_module

import boto3
from epsilon_provider.ends import reader_of
from epsilon_provider.trigger import SAYS_WHO_KILLS, EpsilonExecutionTrigger

step_functions = boto3.client("stepfunctions", region_name="us-west-2")
machine = "arn:aws:states:us-west-2:123456789012:stateMachine:epsilon-test-tenant-model-training:live"
facts = []


def begin(name: str) -> str:
    answer = step_functions.start_execution(stateMachineArn=machine, name=name, input='{"does": "waits"}')
    return answer["executionArn"]


def status(arn: str) -> str:
    return step_functions.describe_execution(executionArn=arn)["status"]


def trigger(arn: str, stops: bool = True, **more):
    """As a triggerer makes it: from what was stored of it."""
    given = {"aws_conn_id": "aws_default", "region_name": "us-west-2", "poll_seconds": 0.3, "cause": "c", **more}
    path, fields = EpsilonExecutionTrigger(execution_arn=arn, stops=stops, **given).serialize()
    module, name = path.rsplit(".", 1)
    made = getattr(import_module(module), name)(**fields)
    made.trigger_id = 5
    return made


def task_is(state: str | None, trigger_id: int | None):
    """Puts the task instance into a state (2.11)."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select, text

    with create_session() as session:
        session.execute(text("PRAGMA foreign_keys=OFF"))
        found = session.scalars(select(TaskInstance).where(TaskInstance.dag_id == "deferred")).first()
        change = text("update task_instance set state=:state, trigger_id=:trigger where dag_id='deferred'")
        session.execute(change, {"state": state, "trigger": trigger_id})
        session.expunge(found)
        return found


async def consume(of, events: list) -> None:
    async for event in of.run():
        events.append(event.payload)


async def cancel(of) -> None:
    running = asyncio.create_task(consume(of, []))
    await asyncio.sleep(1.5)
    running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        pass


async def cancel_with(of, state: str | None, trigger_id: int | None) -> None:
    of.task_instance = await asyncio.to_thread(task_is, state, trigger_id)
    await cancel(of)


async def by_the_task() -> str:
    first, second = begin("first"), begin("second")
    await cancel_with(trigger(first), "deferred", 5)
    facts.append(["a triggerer that ends stops nothing", status(first), "RUNNING"])
    await cancel_with(trigger(first), "deferred", 6)
    facts.append(["a task that was cleared and waits again: its first wait is over", status(first), "ABORTED"])
    await cancel_with(trigger(second, stops=False), "failed", None)
    facts.append(["a sensor that is killed stops nothing", status(second), "RUNNING"])
    await cancel_with(trigger(second), "failed", None)
    facts.append(["a task that was marked failed stops its execution", status(second), "ABORTED"])
    return first


async def by_airflow() -> str:
    first = begin("first")
    await cancel(trigger(first))
    facts.append(["a triggerer that ends stops nothing", status(first), "RUNNING"])
    await trigger(first, stops=False).on_kill()
    facts.append(["a sensor that is killed stops nothing", status(first), "RUNNING"])
    await trigger(first).on_kill()
    facts.append(["a task that is killed stops its execution", status(first), "ABORTED"])
    return first


async def by_event() -> None:
    """Questions that are ten minutes apart: what ends the wait before is an event."""
    queue = f"{os.environ['AWS_ENDPOINT_URL_SQS']}/123456789012/ends"
    arns = [begin(f"event-{number}") for number in range(3)]
    ends: list = [[] for _ in arns]
    runs = [
        asyncio.create_task(consume(trigger(arn, queue_url=queue, poll_seconds=600), events))
        for arn, events in zip(arns, ends)
    ]
    reader = reader_of(queue, "aws_default", "us-west-2")
    for _ in range(600):
        if len(reader.waiting) == len(arns):
            break
        await asyncio.sleep(0.1)
    facts.append(["all wait for events", sorted(reader.waiting), sorted(arns)])
    for arn in arns[:2]:
        step_functions.stop_execution(executionArn=arn, error="e", cause="c")
    await asyncio.wait(runs[:2], timeout=120)
    await asyncio.sleep(2)
    facts.append(["an event ends the wait of its execution alone", [len(one) for one in ends], [1, 1, 0]])
    runs[2].cancel()
    await asyncio.sleep(1)
    facts.append(["nobody reads once nobody waits", [reader.reading.done(), status(arns[2])], [True, "RUNNING"]])


async def main() -> None:
    await by_event()
    ended = await (by_airflow() if SAYS_WHO_KILLS else by_the_task())
    for name, arn in (("an execution that has ended", ended), ("an execution that is not there", f"{ended}-x")):
        events: list = []
        await asyncio.wait_for(consume(trigger(arn), events), 30)
        facts.append([f"{name} ends the wait", events, [{"execution_arn": arn}]])


asyncio.run(main())
print("\n" + json.dumps(facts))
