/** What is taken of ECS, loaded with the first spot warning; in the lazy bundle (infra/serverless/lazy-bundle.ts). */
export {
  DescribeTasksCommand,
  ECSClient,
  ListContainerInstancesCommand,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
