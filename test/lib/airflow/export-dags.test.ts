import { describe, expect, it } from 'vitest';
import { exportDags } from '../../../lib/airflow/export-dags.ts';
import { cronOf, timedelta } from '../../../lib/airflow/python-text.ts';
import { type DefinitionJson, taskGraphOf, taskIdOf } from '../../../lib/airflow/task-graph.ts';
import { loadLocalService } from '../../../local/declaration/local-service.ts';

const { service } = loadLocalService('.', {});

function definitionOf(key: string): DefinitionJson {
  return service.machines.find((machine) => machine.key === key)?.definition as unknown as DefinitionJson;
}

/** `a > b` for each dependency, by task. */
function edgesOf(key: string): string[] {
  return taskGraphOf(definitionOf(key)).flatMap(({ state, after }) =>
    after.map((before) => `${taskIdOf(before)} > ${taskIdOf(state)}`),
  );
}

describe('the task graph of a machine', () => {
  it("the training machine's graph is the specification's, between the lease and the promotion", () => {
    expect(edgesOf('tenant-model-training')).toEqual([
      'begin_run > prepare_training_data',
      'prepare_training_data > train_model',
      'train_model > build_faiss_index',
      'build_faiss_index > deploy_model',
      'build_faiss_index > update_redis_cache',
      'deploy_model > promote_model',
      'update_redis_cache > promote_model',
      'promote_model > finish_run',
    ]);
  });

  it("the quality machine's graph has the specification's three checks side by side", () => {
    const edges = edgesOf('data-quality-check');
    for (const check of ['check_data_completeness', 'check_data_freshness', 'check_anomalies']) {
      expect(edges).toContain(`profile_shard > ${check}`);
      expect(edges).toContain(`${check} > judge_shard`);
    }
  });

  it('a state without a counterpart in a DAG is refused by its name', () => {
    const wait = { StartAt: 'Rest', States: { Rest: { Type: 'Wait', Next: 'Rest' } } };
    expect(() => taskGraphOf(wait)).toThrow(expect.objectContaining({ code: 'DAG_UNSUPPORTED' }));
    expect(() => taskGraphOf({ StartAt: 'Gone', States: {} })).toThrow('State Gone');
  });
});

describe('the exported DAGs', () => {
  const [training = { text: '' }, quality = { text: '' }] = exportDags(service);

  it("the training DAG has the specification's schedule, retries, arguments and resources", () => {
    const { text } = training;
    expect(text).toContain('schedule="0 2 * * *"');
    expect(text).toContain('"retries": 2,\n    "retry_delay": timedelta(minutes=5),');
    expect(text).toContain('requests={"memory": "8Gi", "cpu": "4"}');
    for (const [word, value] of [
      ['--output', '{output}'],
      ['--epochs', '{epochs}'],
      ['--model-path', '{model}{model_file}'],
    ])
      expect(text).toContain(`"${word}",\n            "${value}",`);
    expect(text).toContain('build_faiss_index >> [deploy_model, update_redis_cache]');
  });

  it('the quality DAG runs every hour', () => {
    expect(quality.text).toContain('schedule="0 * * * *"');
    expect(quality.text).toContain(
      'profile_shard >> [check_data_completeness, check_data_freshness, check_anomalies]',
    );
  });

  it('stages that differ in the retries of a failed job are refused, because a DAG has one default', () => {
    const machines = service.machines.map(({ key, definition }) => ({
      key,
      definition: JSON.parse(
        JSON.stringify(definition).replace('"IntervalSeconds":300', '"IntervalSeconds":60'),
      ),
    }));
    expect(() => exportDags({ ...service, machines })).toThrow('differ in the retries');
  });

  it('a machine without a schedule cannot be exported', () => {
    expect(() => exportDags({ ...service, schedules: [] })).toThrow(
      expect.objectContaining({ code: 'DAG_UNSUPPORTED' }),
    );
  });
});

describe('schedules and spans in Python', () => {
  it('a cron expression in UTC becomes five fields', () => {
    expect(cronOf('cron(0 2 * * ? *)', 'UTC')).toBe('0 2 * * *');
    expect(cronOf('cron(0/15 * 1 * ? *)', undefined)).toBe('0/15 * 1 * *');
  });

  it.each([
    ['rate(1 hour)', undefined],
    ['cron(0 2 * * ? 2027)', 'UTC'],
    ['cron(0 2 ? * MON *)', 'UTC'],
    ['cron(0 2 * * ? *)', 'Europe/Berlin'],
  ])('the schedule %s in %s is refused', (expression, timezone) => {
    expect(() => cronOf(expression, timezone)).toThrow(
      expect.objectContaining({ code: 'SCHEDULE_UNSUPPORTED' }),
    );
  });

  it('a span is written in the largest unit that fits', () => {
    expect([7_200, 300, 61].map(timedelta)).toEqual([
      'timedelta(hours=2)',
      'timedelta(minutes=5)',
      'timedelta(seconds=61)',
    ]);
  });
});
