import { cpuOf } from '../kubernetes/job-manifest.ts';
import { type StageDefinition, stages } from '../training/stages.ts';
import { dependencyLines } from './dependency-lines.ts';
import { header, pythonList, pythonString, timedelta } from './python-text.ts';
import { type DefinitionJson, type GraphTask, taskGraphOf, taskIdOf } from './task-graph.ts';

/** What a DAG is generated from. */
export interface DagSource {
  readonly definition: DefinitionJson;
  /** Five fields, UTC. */
  readonly cron: string;
}

/** The DAG's id, which is the specification's. */
export const trainingDag = 'tenant_model_training';

/** Stages by the state that submits their job. */
const byState = new Map<string, StageDefinition>(Object.values(stages).map((stage) => [stage.state, stage]));

/** Names of pods in the specification. */
const podNames: Readonly<Record<string, string>> = {
  prepare: 'prepare-data',
  train: 'train-model',
  index: 'build-index',
  deploy: 'deploy-model',
  cache: 'update-cache',
};

/** What an attempt fills in; the operator does, from the attempt that Epsilon opened. */
const placeholders = {
  tenantId: '{{ params.tenant_id }}',
  modelType: '{model_type}',
  modelFile: '{model_file}',
  outputUri: '{output}',
  inputs: { data: '{data}', model: '{model}', index: '{index}', documents: '{documents}' },
};

/** The stage's arguments with names where an attempt has values. */
function argumentsOf(stage: StageDefinition): string[] {
  // The number of epochs is the run's: a number that is none marks its place.
  return stage
    .arguments({ ...placeholders, epochs: Number.NaN })
    .map((word) => (word === 'NaN' ? '{epochs}' : word));
}

/** `2Gi`, or `512Mi` for what is no whole number of gibibytes. */
function memoryOf(memoryMiB: number): string {
  return memoryMiB % 1024 === 0 ? `${memoryMiB / 1024}Gi` : `${memoryMiB}Mi`;
}

function stageTask(stage: StageDefinition): string {
  const { cpu, memoryMiB } = stage.resources;
  return `    ${taskIdOf(stage.state)} = EpsilonStageOperator(
        task_id=${pythonString(taskIdOf(stage.state))},
        stage=${pythonString(stage.name)},
        name=${pythonString(podNames[stage.name] ?? stage.name)},
        namespace="ml-jobs",
        image=IMAGES[${pythonString(stage.image)}],
        arguments=${pythonList(argumentsOf(stage), '        ')},
        container_resources=k8s.V1ResourceRequirements(
            requests={"memory": "${memoryOf(memoryMiB)}", "cpu": "${cpuOf(cpu)}"},
        ),
        execution_timeout=${timedelta(stage.timeoutSeconds)},
    )
`;
}

/** How tasks that are no jobs are made, by the function that they call. */
const functionTasks: Readonly<Record<string, string>> = {
  beginRun: 'begin_run()',
  promoteModel: 'promote_model()',
  finishRun: 'finish_run(promote_model)',
};

function functionTask({ state, functionKey }: GraphTask): string {
  const call = functionTasks[functionKey];
  if (call === undefined) throw new Error(`No task is known that calls ${functionKey}.`);
  return `    ${taskIdOf(state)} = epsilon.${call}\n`;
}

/** The retries that every stage has for a job that failed. Throws when the stages do not agree: a DAG has one default. */
function retriesOf(tasks: readonly GraphTask[]): { readonly times: number; readonly seconds: number } {
  const all = tasks.flatMap(({ retries }) => retries.get('JobFailed') ?? []);
  const [first] = all;
  if (!first || all.some(({ times, seconds }) => times !== first.times || seconds !== first.seconds))
    throw new Error('The stages differ in the retries of JobFailed; the DAG has one default for all.');
  return first;
}

/** The text of `tenant_model_training.py`. */
export function renderTrainingDag({ definition, cron }: DagSource): string {
  const tasks = taskGraphOf(definition);
  const retries = retriesOf(tasks);
  const calls = tasks.map((task) => {
    const stage = byState.get(task.state);
    return stage ? stageTask(stage) : functionTask(task);
  });
  return `${header('Trains one tenant, and at night every tenant that Airflow schedules.', [
    'lib/training/stages.ts',
    'statemachines/tenant-model-training.asl.json',
  ])}
from __future__ import annotations

from datetime import datetime, timedelta

import epsilon_tasks as epsilon
from epsilon_tasks import DAG, IMAGES, EpsilonStageOperator, Param
from kubernetes.client import models as k8s

default_args = {
    "owner": "ml-team",
    "depends_on_past": False,
    "retries": ${retries.times},
    "retry_delay": ${timedelta(retries.seconds)},
}

with DAG(
    dag_id=${pythonString(trainingDag)},
    default_args=default_args,
    schedule=${pythonString(cron)},
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=16,
    params={
        # Empty on schedule: the run then names the tenants and starts a run of this DAG for each of them.
        "tenant_id": Param("", type="string"),
        # Names the tenants behind this one; set by a run that has named the tenants before.
        "after": Param("", type="string"),
        # The date that the run is for; today where it is empty.
        "logical_date": Param("", type="string"),
    },
    tags=["epsilon"],
) as dag:
    choose = epsilon.choose_tenants()
    choose >> epsilon.start_tenants()

${calls.join('\n')}
    choose >> ${taskIdOf(tasks[0]?.state ?? '')}
${dependencyLines(tasks, '    ')}
    [${tasks.map(({ state }) => taskIdOf(state)).join(', ')}] >> epsilon.settle_run()
`;
}
