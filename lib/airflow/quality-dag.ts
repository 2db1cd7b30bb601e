import { dependencyLines } from './dependency-lines.ts';
import { header, pythonString } from './python-text.ts';
import { type GraphTask, taskGraphOf, taskIdOf } from './task-graph.ts';
import type { DagSource } from './training-dag.ts';

/** The DAG's id, which is the specification's. */
export const qualityDag = 'data_quality_check';

/** What the task of a state calls, within its Map or outside of one. */
const calls: Readonly<Record<string, string>> = {
  OpenQualityCheck: 'epsilon.open_quality_check()',
  ProfileShard: 'epsilon.profile_shard(shard)',
  CheckCompleteness: 'epsilon.check_shard("check_data_completeness", "completeness", shard)',
  CheckFreshness: 'epsilon.check_shard("check_data_freshness", "freshness", shard)',
  CheckAnomalies: 'epsilon.check_shard("check_anomalies", "anomalies", shard)',
  JudgeShard: 'epsilon.judge_shard(shard)',
  WeighQualityCheck: 'epsilon.weigh_quality_check(open_quality_check, judged)',
  RecordVerdicts: 'epsilon.record_verdicts(open_quality_check, weigh_quality_check)',
};

function callOf({ state }: GraphTask): string {
  const call = calls[state];
  if (call === undefined) throw new Error(`No task is known for the state ${state}.`);
  return `${taskIdOf(state)} = ${call}\n`;
}

/** The text of `data_quality_check.py`. */
export function renderQualityDag({ definition, cron }: DagSource): string {
  const tasks = taskGraphOf(definition);
  const [open, ...rest] = tasks.filter(({ map }) => map === undefined);
  const judging = tasks.filter(({ map }) => map === 'JudgeShards');
  const recording = tasks.filter(({ map }) => map === 'RecordShards');
  const inner = new Set(judging.map(({ state }) => state));
  const within = judging.map((task) => ({ ...task, after: task.after.filter((name) => inner.has(name)) }));
  if (!open || tasks.length !== 1 + rest.length + judging.length + recording.length)
    throw new Error('The machine has a Map that the DAG does not know.');
  const last = judging.at(-1);
  return `${header("Checks every tenant's data, every hour.", ['statemachines/data-quality-check.asl.json'])}
from __future__ import annotations

from datetime import datetime

import epsilon_tasks as epsilon
from epsilon_tasks import DAG, task_group

with DAG(
    dag_id=${pythonString(qualityDag)},
    default_args={"owner": "ml-team", "depends_on_past": False},
    schedule=${pythonString(cron)},
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["epsilon"],
) as dag:
    ${callOf(open)}
    @task_group
    def judge_shards(shard):
${within.map((task) => `        ${callOf(task)}`).join('')}
${dependencyLines(within, '        ')}        return ${last ? taskIdOf(last.state) : 'None'}

    judged = judge_shards.expand(shard=open_quality_check)

    ${[...rest, ...recording].map(callOf).join('    ')}
    judged >> weigh_quality_check
${dependencyLines(recording, '    ')}`;
}
