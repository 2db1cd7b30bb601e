"""Waits for an execution that somebody else began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.configuration import conf
from airflow.providers.common.compat.sdk import BaseSensorOperator, PokeReturnValue

from epsilon_provider.hook import EpsilonHook, has_ended, outcome_of
from epsilon_provider.trigger import EpsilonExecutionTrigger


class EpsilonExecutionSensor(BaseSensorOperator):
    """Waits until an execution has ended, returns its output (XCom), and fails when it failed. It stops nothing, whoever kills it.

    :param machine: key of the machine, as "nightly-training".
    :param name: name of the execution; an execution that is not there yet is waited for where the sensor is not deferred.
    :param epsilon_conn_id: connection of the type "epsilon".
    :param deferrable: waits in the triggerer instead of holding a worker.
    """

    template_fields: Sequence[str] = ("machine", "name", "epsilon_conn_id")
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        machine: str,
        name: str,
        epsilon_conn_id: str = EpsilonHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: float = 15,
        **kwargs,
    ):
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.machine = machine
        self.name = name
        self.epsilon_conn_id = epsilon_conn_id
        self.deferrable = deferrable

    @property
    def hook(self) -> EpsilonHook:
        return EpsilonHook(self.epsilon_conn_id)

    def execute(self, context) -> Any:
        hook = self.hook
        arn = hook.execution_arn(self.machine, self.name)
        found = hook.describe(arn) if self.deferrable else None
        if not found:
            return super().execute(context)
        if has_ended(found):
            return outcome_of(found)
        trigger = EpsilonExecutionTrigger(
            execution_arn=arn,
            aws_conn_id=hook.extras.get("aws_conn_id", "aws_default"),
            region_name=hook.step_functions.conn_region_name,
            poll_seconds=self.poke_interval,
            stops=False,
            cause="",
        )
        return self.defer(trigger=trigger, method_name="execute_complete")

    def poke(self, context) -> bool | PokeReturnValue:
        hook = self.hook
        found = hook.describe(hook.execution_arn(self.machine, self.name))
        if not has_ended(found):
            return False
        return PokeReturnValue(is_done=True, xcom_value=outcome_of(found))

    def execute_complete(self, context, event: dict[str, Any]) -> Any:
        return outcome_of(self.hook.describe(event["execution_arn"]))
