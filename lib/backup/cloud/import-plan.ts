import type { RestorePlace } from './records.ts';

/**
 * What brings restored stores under the programs that keep everything else, step by step: the database by a setting of Pulumi's program,
 * which imports it, the table by an import into the stack of the other region. Neither replaces anything.
 */
export function importPlan(environment: string, { region, database, table }: RestorePlace): string[] {
  const stack = `--region ${region} --stack-name epsilon-${environment}`;
  const resource = JSON.stringify([
    {
      ResourceType: 'AWS::DynamoDB::GlobalTable',
      LogicalResourceId: 'RestoredTable',
      ResourceIdentifier: { TableName: table },
    },
  ]);
  const likeOwn = `.Resources.RestoredTable = (.Resources.ControlTable | .Properties.TableName = "${table}")`;
  const bucket =
    '$(aws cloudformation describe-stack-resource ' +
    `${stack} --logical-resource-id ServerlessDeploymentBucket --query StackResourceDetail.PhysicalResourceId --output text)`;
  const at = `https://${bucket}.s3.${region}.amazonaws.com/import.json`;
  return [
    `echo 'restoredDatabase: ${database}' >> infra/config/infrastructure/${environment}.yml`,
    `infra/provision.sh ${environment}`,
    `aws cloudformation get-template ${stack} --template-stage Original --query TemplateBody > deployed.json`,
    `jq '${likeOwn}' deployed.json > import.json`,
    `aws s3 cp import.json s3://${bucket}/import.json`,
    `aws cloudformation create-change-set ${stack} --change-set-name restored-table --change-set-type IMPORT --capabilities CAPABILITY_IAM --resources-to-import '${resource}' --template-url ${at}`,
    `aws cloudformation execute-change-set ${stack} --change-set-name restored-table`,
    `npx serverless deploy --stage ${environment} --param place=there --param table=${table}`,
  ];
}
