"""Tasks of Epsilon's DAGs: what they ask of Epsilon, and the operator that runs a stage's pod for one of Epsilon's attempts.

Every call is an invocation of one of Epsilon's functions on AWS Lambda: lease, quality gate, attempts and promotion stay
Epsilon's, whoever schedules. The environment is the Airflow variable "epsilon_environment" (dev where there is none); the
connection is "aws_default", or the variable "epsilon_aws_conn_id".
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from datetime import datetime, timezone
from pathlib import Path

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.lambda_function import LambdaHook
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.common.compat.sdk import (
    DAG,
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    Param,
    Variable,
    get_current_context,
    task,
    task_group,
)
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

__all__ = ["DAG", "IMAGES", "EpsilonJobOperator", "EpsilonStageOperator", "Param", "task_group"]

#: References by digest of the images, by name; the one file that a release changes.
IMAGES: dict[str, str] = json.loads((Path(__file__).parent / "images.json").read_text())

#: Tenants that one run names; Airflow maps a task at most 1,024 times (core.max_map_length).
TENANTS_AT_ONCE = 1_000

#: Names of errors that another try cannot help: codes of Epsilon; what may be tried again has a name of its own (TenantBusy, Throttled).
FINAL = re.compile(r"^([A-Z][A-Z0-9_]+|BadImage)$")


class EpsilonCallFailed(AirflowException):
    """A function of Epsilon answered with an error; `error` is its name."""

    def __init__(self, function: str, error: str, message: str):
        super().__init__(f"{function}: {error}: {message}")
        self.error = error
        self.text = message


def call(function: str, payload: dict) -> dict:
    """Invokes a function of Epsilon and returns its answer."""
    environment = Variable.get("epsilon_environment", "dev")
    hook = LambdaHook(aws_conn_id=Variable.get("epsilon_aws_conn_id", "aws_default"))
    response = hook.invoke_lambda(
        function_name=f"epsilon-{environment}-{function}",
        invocation_type="RequestResponse",
        payload=json.dumps(payload),
    )
    answer = json.loads(response["Payload"].read() or b"null")
    if "FunctionError" in response:
        failure = EpsilonCallFailed(function, answer.get("errorType", "Error"), answer.get("errorMessage", ""))
        if FINAL.match(failure.error):
            raise AirflowFailException(str(failure)) from failure
        raise failure
    return answer


def execution_of(context) -> dict:
    """The execution that Epsilon records: the DAG run. A task that is run again continues it, as a redrive does."""
    run = context["dag_run"]
    return {"id": f"airflow:{run.dag_id}/{run.run_id}", "name": f"airflow-{digest(f'{run.dag_id}/{run.run_id}')}"}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_scheduled(context) -> bool:
    return str(context["dag_run"].run_type).endswith("scheduled")


def scheduled_time(context) -> str:
    """The end of the run's interval, which is when Epsilon's own schedule would have begun."""
    return context["dag_run"].data_interval_end.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def logical_date(context) -> str:
    named = context["params"].get("logical_date") or ""
    return named or (scheduled_time(context)[:10] if is_scheduled(context) else datetime.now(timezone.utc).date().isoformat())


# --- training ---------------------------------------------------------------------------------------------------------


def choose_tenants():
    """A run of one tenant trains it; a scheduled run, and one behind a list, names tenants."""

    @task.branch(task_id="choose_tenants")
    def choose(params: dict | None = None):
        return "begin_run" if params["tenant_id"] else "name_tenants"

    return choose()


def start_tenants():
    """Names the tenants that Airflow schedules and starts a run of this DAG for each; the last one names those behind them."""

    @task(task_id="name_tenants")
    def name() -> list[dict]:
        context = get_current_context()
        after = context["params"]["after"]
        date = logical_date(context)
        asked = {"scheduler": "airflow", "logicalDate": date, "after": after, "limit": TENANTS_AT_ONCE}
        page = call("loadTenants", asked)
        starts = [
            {"trigger_run_id": f"epsilon__{tenant}__{date}", "conf": {"tenant_id": tenant, "logical_date": date}}
            for tenant in page["tenants"]
        ]
        if page["after"]:
            conf = {"tenant_id": "", "after": page["after"], "logical_date": date}
            starts.append({"trigger_run_id": f"epsilon__after__{page['after']}__{date}", "conf": conf})
        return starts

    named = name()
    TriggerDagRunOperator.partial(
        task_id="start_tenants", trigger_dag_id="tenant_model_training", skip_when_already_exists=True
    ).expand_kwargs(named)
    return named


def begin_run():
    """Takes the tenant's lease behind the quality gate; a closed gate skips the run."""

    @task(task_id="begin_run")
    def begin() -> dict:
        context = get_current_context()
        tenant = context["params"]["tenant_id"]
        date = logical_date(context)
        execution = {**execution_of(context), "redriveCount": context["ti"].try_number - 1}
        execution["name"] = f"{tenant}-{date}-a{digest(execution['id'])}"
        try:
            run = call("beginRun", {"input": {"tenantId": tenant, "logicalDate": date}, "execution": execution})
        except EpsilonCallFailed as failure:
            if failure.error == "QualityGateClosed":
                raise AirflowSkipException(failure.text) from failure
            raise
        return {**run, "execution": execution}

    return begin()


def own_run(context) -> dict:
    return context["ti"].xcom_pull(task_ids="begin_run")


def promote_model():
    """Switches model and index together, under the run's own lease."""

    @task(task_id="promote_model")
    def promote() -> dict:
        run = own_run(get_current_context())
        return call("promoteModel", {"runId": run["runId"], "execution": run["execution"]})

    return promote()


def finish_run(promoted):
    """Records the success and releases the lease."""

    @task(task_id="finish_run")
    def finish(model: dict) -> dict:
        run = own_run(get_current_context())
        return call("finishRun", {"runId": run["runId"], "execution": run["execution"], "model": model})

    return finish(promoted)


class EpsilonPodOperator(KubernetesPodOperator):
    """Runs a pod that Epsilon has described in full."""

    def __init__(self, **kwargs):
        # A try never adopts the pod of an earlier one: each belongs to an attempt of its own.
        super().__init__(
            base_container_name="job", on_finish_action="delete_pod", reattach_on_restart=False, **kwargs
        )
        self.remote_end = None

    def take(self, pod: dict, job_name: str) -> None:
        """Makes the attempt's pod the operator's."""
        from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator

        # The tenant's role compares the name with the session's tags.
        self.name = job_name
        self.full_pod_spec = PodGenerator.deserialize_model_dict({"apiVersion": "v1", "kind": "Pod", **pod})
        self.arguments = []
        self.env_vars = []
        self.container_resources = None

    def cleanup(self, pod, remote_pod, *args, **kwargs):
        self.remote_end = remote_pod
        return super().cleanup(pod, remote_pod, *args, **kwargs)

    def ended(self):
        """How the job's container ended; None when it did not."""
        statuses = (self.remote_end.status.container_statuses or []) if self.remote_end else []
        return next((one.state.terminated for one in statuses if one.name == "job" and one.state.terminated), None)


def report_end(context) -> None:
    """Puts the end of a job on Epsilon's bus, so that its stage goes on at once.

    A worker that may not (the role of the connection lacks events:PutEvents on the bus) leaves it to Epsilon's reconciler, which
    finds every end within a minute or two.
    """
    report = (context["dag_run"].conf or {}).get("report")
    if not report:
        return
    log = logging.getLogger(__name__)
    end = context["ti"].xcom_pull(task_ids=context["ti"].task_id, key="end")
    if not end or end.get("exitCode", 0) > 128:
        # No container has ended, or a signal ended it: who sent that, and what became of the job, is found out by Epsilon.
        return
    event = report["event"]
    detail = {**event["detail"], "data": {**event["detail"]["data"], **end}}
    entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(detail)}
    try:
        hook = AwsBaseHook(
            aws_conn_id=Variable.get("epsilon_aws_conn_id", "aws_default"),
            client_type="events",
            region_name=report["region"],
        )
        answer = hook.get_conn().put_events(Entries=[{**entry, "EventBusName": report["bus"]}])
    except Exception as failure:  # noqa: BLE001: the job has ended, however its report fares
        log.warning("Epsilon's bus %s takes no event: %s", report["bus"], failure)
        return
    if answer.get("FailedEntryCount"):
        log.warning("Epsilon's bus %s refused the event: %s", report["bus"], answer["Entries"])


class EpsilonJobOperator(EpsilonPodOperator):
    """Runs the pod of the job that Epsilon has put into the run's configuration; leaves its exit code and reports its end."""

    def __init__(self, **kwargs):
        super().__init__(on_success_callback=report_end, on_failure_callback=report_end, **kwargs)

    def execute(self, context):
        conf = context["dag_run"].conf or {}
        if "pod" not in conf or "jobName" not in conf:
            raise AirflowFailException("The run has no job of Epsilon in its configuration; Epsilon starts this DAG.")
        if context["ti"].try_number > 1:
            # Airflow repeats a task whose scheduler or worker died; a second pod of one attempt would write where the first one does.
            self.remove_pods(conf["jobName"])
            raise AirflowFailException("The job was lost with what ran it; Epsilon decides about another attempt.")
        self.take(conf["pod"], conf["jobName"])
        failure = ""
        try:
            super().execute(context)
        except Exception as caught:
            failure = str(caught) or type(caught).__name__
            raise
        finally:
            ended = self.ended()
            if ended:
                context["ti"].xcom_push(key="exit_code", value=ended.exit_code)
                context["ti"].xcom_push(key="end", value=end_of(ended, failure))


    def remove_pods(self, job_name: str) -> None:
        """Removes what an earlier try has left running: nobody waits for it, and Epsilon may start another attempt.

        What cannot be removed ends by its own time limit, and writes where no later attempt does.
        """
        try:
            found = self.client.list_namespaced_pod(self.namespace, label_selector=f"epsilon/job={job_name}")
            for pod in found.items:
                self.client.delete_namespaced_pod(pod.metadata.name, self.namespace)
                self.log.info("Removed the pod %s of an earlier try.", pod.metadata.name)
        except Exception as failure:  # noqa: BLE001: the job is lost, whatever becomes of its pod
            self.log.warning("The pod of an earlier try of %s was not removed: %s", job_name, failure)


class EpsilonStageOperator(EpsilonPodOperator):
    """Runs one stage as a pod, each try for an attempt that Epsilon opens and whose end Epsilon records.

    Epsilon's answer holds the whole pod as its own runner would make it: environment by the job contract, identity,
    resources, place. Image and arguments of the DAG are compared with it, so that a DAG that is behind the deployment fails
    by name and trains nothing.
    """

    def __init__(self, *, stage: str, **kwargs):
        super().__init__(**kwargs)
        self.stage = stage

    def execute(self, context):
        run = own_run(context)
        ti = context["ti"]
        entry = {"runId": run["runId"], "stage": self.stage, "execution": run["execution"]}
        token = f"airflow:{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.try_number}"
        opened = call("submitStage", {**entry, "taskToken": token, "startedBy": "airflow"})
        if opened["outcome"] == "answered":
            self.log.info("The stage has succeeded before.")
            return None
        contract = opened["contract"]
        self.compare(contract)
        self.take(contract["pod"], contract["jobName"])
        try:
            super().execute(context)
        except BaseException as failure:
            code = self.record(contract, str(failure))
            if code is not None and 64 <= code <= 78 and code != 75:
                raise AirflowFailException(f"The input is wrong (exit {code}): {failure}") from failure
            raise
        self.record(contract, "")
        return None

    def compare(self, contract: dict) -> None:
        """Refuses an image or arguments that are not those of the attempt."""
        if not re.search(r"@sha256:[0-9a-f]{64}$", self.image or ""):
            raise AirflowFailException(f'images.json gives no digest of the image of {self.stage}: "{self.image}".')
        if contract["image"] != self.image:
            raise AirflowFailException(
                f"images.json has {self.image}, the run has {contract['image']}: one of them is behind."
            )
        ours, given = list(self.arguments), list(contract["arguments"])
        if len(ours) != len(given) or any("{" not in mine and mine != its for mine, its in zip(ours, given)):
            raise AirflowFailException(f"The DAG's arguments {ours} are not the attempt's {given}: export it again.")

    def record(self, contract: dict, failure: str) -> int | None:
        """Reports the end of the pod as the job watcher reports that of a Job; returns the exit code."""
        ended = self.ended()
        data = {**contract["event"]["detail"]["data"], **end_of(ended, failure)}
        call("completeJob", {**contract["event"], "detail": {**contract["event"]["detail"], "data": data}})
        return ended.exit_code if ended else None


def end_of(ended, failure: str) -> dict:
    """The end of a job as Epsilon's events say it; `ended` is how its container ended, None where none did."""
    end = {"state": "succeeded", "reason": "completed"}
    if failure:
        end = {"state": "failed", "reason": "error" if ended else "lost", "message": failure[:1_000]}
    if ended:
        end |= {"exitCode": ended.exit_code, **result_of(ended.message)}
    return end


def result_of(message: str | None) -> dict:
    """The job's result, which it has left as the message of its end."""
    try:
        result = json.loads(message or "")
    except ValueError:
        return {}
    return {"result": result} if isinstance(result, dict) else {}


def settle_run():
    """Ends the run in Epsilon when a task failed: lease and record; people are notified."""

    @task(task_id="settle_run", trigger_rule="one_failed")
    def settle() -> dict:
        context = get_current_context()
        run = own_run(context)
        if run is None:
            raise AirflowSkipException("The run was not begun.")
        detail = {
            "executionArn": run["execution"]["id"],
            "name": run["runId"],
            "redriveCount": run["execution"]["redriveCount"],
            "status": "FAILED",
            "error": "AirflowTaskFailed",
            "cause": f"A task of {run['execution']['id']} failed.",
        }
        event = {
            "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change",
            "detail": detail,
        }
        call("settleRun", event)
        raise AirflowFailException(detail["cause"])

    return settle()


# --- quality ----------------------------------------------------------------------------------------------------------


def open_quality_check():
    """Claims the hour, so that of two schedulers one checks; names the shards, each with what else the check needs."""

    @task(task_id="open_quality_check")
    def opened() -> list[dict]:
        context = get_current_context()
        execution = {**execution_of(context), "redriveCount": 0}
        asked = {"scheduledTime": scheduled_time(context)} if is_scheduled(context) else {"trigger": "manual"}
        payload = {"input": asked, "machine": "data-quality-check", "execution": execution}
        try:
            check = call("openQualityCheck", payload)
        except EpsilonCallFailed as failure:
            if failure.error == "AlreadyClaimed":
                raise AirflowSkipException(failure.text) from failure
            raise
        return [{"shard": one, "incident": check["incident"], "execution": execution} for one in check["shards"]]

    return opened()


def invoking(task_id: str, function: str, payload):
    """A task that calls a function with what `payload` makes of a shard."""

    @task(task_id=task_id)
    def invoke(shard: dict):
        return call(function, payload(shard["shard"]))

    return invoke


def profile_shard(shard):
    # Jobs that look at datasets belong to the machine; here is judged what it found.
    return invoking("profile_shard", "profileShard", lambda one: {**one, "datasets": "known"})(shard)


def check_shard(task_id: str, check: str, shard):
    return invoking(task_id, "checkShard", lambda one: {"shard": one, "check": check})(shard)


def judge_shard(shard):
    return invoking("judge_shard", "judgeShard", lambda one: one)(shard)


def weigh_quality_check(opened, judged):
    """Distinguishes an incident of the platform, in which no gate closes, from faults of single tenants."""

    @task(task_id="weigh_quality_check")
    def weigh(named: list[dict], shards) -> dict:
        first = named[0]
        # Of a group that was mapped once Airflow hands over the one value instead of a list.
        judged = [shards] if isinstance(shards, dict) else list(shards)
        payload = {"execution": first["execution"]["name"], "incident": first["incident"], "shards": judged}
        return call("weighQualityCheck", payload)

    return weigh(opened, judged)


def record_verdicts(opened, weighed):
    """Puts the verdicts on record; gates open and close."""

    @task(task_id="record_verdicts")
    def record(one: dict, weighed: dict) -> dict:
        execution = {key: one["execution"][key] for key in ("id", "name")}
        return call("recordVerdicts", {"shard": one["shard"], "hold": weighed["hold"], "execution": execution})

    return record.partial(weighed=weighed).expand(one=opened)
