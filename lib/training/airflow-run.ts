/** What the id of an execution begins with that is a DAG run of Airflow: `airflow:<dag>/<run>`. No ARN does. */
const prefix = 'airflow:';

/** Whether a run, or an attempt, is driven by Airflow: its execution is a DAG run, which Epsilon can neither look up nor answer. */
export function isDrivenByAirflow({ executionArn }: { readonly executionArn: string }): boolean {
  return executionArn.startsWith(prefix);
}
