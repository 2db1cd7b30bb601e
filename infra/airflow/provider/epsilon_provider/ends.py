"""Ends of executions as events: one reader of a queue for all triggers of a triggerer, without a blocking call."""

from __future__ import annotations

import asyncio
import json
import logging
from weakref import WeakKeyDictionary

from airflow.providers.amazon.aws.hooks.sqs import SqsHook
from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

#: Seconds that one question waits for an event, as long as SQS takes.
WAIT_SECONDS = 20

#: Seconds until another triggerer sees an event that nobody waits for here.
HIDDEN_SECONDS = 5

#: Seconds after a question that failed.
PAUSE_SECONDS = 5


def ended_execution(body: str) -> str | None:
    """The execution of an event "Step Functions Execution Status Change"; None for anything else."""
    try:
        arn = json.loads(body)["detail"]["executionArn"]
    except (ValueError, TypeError, KeyError):
        return None
    return arn if isinstance(arn, str) else None


class EndsReader:
    """Reads the queue while somebody waits, and wakes whoever waits for an execution that an event names.

    An event is a hint to look at once, never the answer: one that is lost, late, repeated or made up costs a question.
    """

    def __init__(self, queue_url: str, aws_conn_id: str | None, region_name: str | None):
        self.queue_url = queue_url
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.waiting: dict[str, set[asyncio.Event]] = {}
        self.reading: asyncio.Task | None = None

    async def wait(self, execution_arn: str, seconds: float) -> None:
        """Returns when an event of the execution was read, at the latest after `seconds`."""
        woken = asyncio.Event()
        self.waiting.setdefault(execution_arn, set()).add(woken)
        if self.reading is None or self.reading.done():
            self.reading = asyncio.create_task(self._read())
        try:
            await asyncio.wait_for(woken.wait(), seconds)
        except asyncio.TimeoutError:
            pass
        finally:
            others = self.waiting[execution_arn]
            others.discard(woken)
            if not others:
                del self.waiting[execution_arn]
            if not self.waiting:
                self.reading.cancel()

    async def _read(self) -> None:
        while True:
            try:
                hook = SqsHook(aws_conn_id=self.aws_conn_id, region_name=self.region_name)
                async with await hook.get_async_conn() as client:
                    while True:
                        await self._take(client)
            except (BotoCoreError, ClientError, asyncio.TimeoutError, OSError) as error:
                log.warning("Reading %s failed, executions are asked for instead: %s", self.queue_url, error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _take(self, client) -> None:
        answer = await client.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=WAIT_SECONDS,
            VisibilityTimeout=HIDDEN_SECONDS,
        )
        for message in answer.get("Messages", []):
            arn = ended_execution(message["Body"])
            waiting = self.waiting.get(arn, set()) if arn else set()
            for woken in waiting:
                woken.set()
            # What nobody waits for here may be another triggerer's; the queue forgets it after two minutes.
            if waiting or arn is None:
                await client.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])


_readers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple, EndsReader]] = WeakKeyDictionary()


def reader_of(queue_url: str, aws_conn_id: str | None, region_name: str | None) -> EndsReader:
    """The one reader of a queue in this event loop."""
    own = _readers.setdefault(asyncio.get_running_loop(), {})
    key = (queue_url, aws_conn_id, region_name)
    if key not in own:
        own[key] = EndsReader(*key)
    return own[key]
