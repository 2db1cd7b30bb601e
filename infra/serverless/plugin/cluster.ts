import { functionIds } from '../../../lib/config/logical-ids.ts';
import { arnOf, type Declared, type Resources, ref } from './declared.ts';

/**
 * An access entry for every function that reaches the cluster (`cluster: <group>` in functions.yml), where there is one:
 * its role belongs to that group, whose rights are in infra/k8s/jobs/runner-access.yaml.
 */
export function clusterAccess({ functions, cluster }: Declared): Resources {
  if (!cluster) return {};
  return Object.fromEntries(
    Object.entries(functions).flatMap(([key, { cluster: group }]) =>
      group === undefined
        ? []
        : [
            [
              functionIds(key).clusterAccess,
              {
                Type: 'AWS::EKS::AccessEntry',
                Properties: {
                  ClusterName: ref('EksClusterName'),
                  PrincipalArn: arnOf(functionIds(key).role),
                  Type: 'STANDARD',
                  KubernetesGroups: [`epsilon:${group}`],
                },
              },
            ],
          ],
    ),
  ) as Resources;
}
