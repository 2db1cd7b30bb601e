/** What is taken of ECS, loaded with the first spot warning or the first job that is seen running; in the lazy bundle (infra/serverless/lazy-bundle.ts). */
export {
  DescribeContainerInstancesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListContainerInstancesCommand,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
