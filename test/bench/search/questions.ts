/** A question of a reader, with the packages or pages any of which answers it. */
export type Question = readonly [text: string, ...answers: readonly string[]];

/** Documentation that a package brings, with questions of known answers. */
export interface SearchCorpus {
  readonly name: string;
  /** The package of PyPI whose source archive has it; node_modules has it where absent. */
  readonly pypi?: string;
  /** Files below that folder. */
  readonly files: string;
  /** Files that are no documents of their own. */
  readonly without?: RegExp;
  /** The part of a file's path that answers are named by. */
  readonly named: RegExp;
  readonly questions: readonly Question[];
}

/** Three corpora; the questions were written before any search was tried on them. */
export const searchCorpora: readonly SearchCorpus[] = [
  {
    name: 'cloud',
    files: 'aws-cdk-lib/aws-*/README.md',
    named: /aws-cdk-lib\/([^/]+)\//,
    questions: [
      ['messages must be delivered in order and only once', 'aws-sqs'],
      ['where do failed messages of a queue go', 'aws-sqs'],
      ['send an email notification to several subscribers', 'aws-sns', 'aws-sns-subscriptions', 'aws-ses'],
      [
        'run code on a schedule every five minutes',
        'aws-events',
        'aws-events-targets',
        'aws-scheduler',
        'aws-scheduler-targets',
      ],
      ['add a secondary index to a table', 'aws-dynamodb'],
      ['replicate a table to other regions', 'aws-dynamodb'],
      ['rotate the password of a database', 'aws-secretsmanager', 'aws-rds'],
      [
        'host a static website from a bucket',
        'aws-s3',
        'aws-s3-deployment',
        'aws-cloudfront',
        'aws-cloudfront-origins',
      ],
      ['delete old objects of a bucket after some days', 'aws-s3'],
      ['block requests to an API by rate', 'aws-apigateway', 'aws-wafv2', 'aws-apigatewayv2'],
      ['let users sign in with their Google account', 'aws-cognito'],
      ['a virtual machine in a private subnet', 'aws-ec2'],
      ['allow a role to be assumed by another account', 'aws-iam'],
      ['encrypt data with a key of my own', 'aws-kms'],
      ['run a container without managing servers', 'aws-ecs', 'aws-ecs-patterns'],
      [
        'scale a service by its CPU use',
        'aws-ecs',
        'aws-applicationautoscaling',
        'aws-ecs-patterns',
        'aws-autoscaling',
      ],
      ['certificate for a custom domain name', 'aws-certificatemanager'],
      ['point a domain name at a load balancer', 'aws-route53', 'aws-route53-targets'],
      ['keep log lines for one month only', 'aws-logs'],
      ['wake somebody when an error count is too high', 'aws-cloudwatch', 'aws-cloudwatch-actions'],
      [
        'wait for an approval between steps of a workflow',
        'aws-stepfunctions',
        'aws-stepfunctions-tasks',
        'aws-codepipeline-actions',
      ],
      ['share a file system between containers', 'aws-efs', 'aws-ecs'],
      ['store docker images and remove the old ones', 'aws-ecr', 'aws-ecr-assets'],
      ['deploy a new version to a tenth of the traffic first', 'aws-codedeploy', 'aws-lambda'],
      ['a Kubernetes cluster with managed nodes', 'aws-eks', 'aws-eks-v2'],
    ],
  },
  {
    name: 'packages',
    files: '*/{README,readme,Readme}.md',
    without: /^(aws-cdk-lib|serverless.*|effect)\//,
    named: /^([^/]+)\//,
    questions: [
      [
        'add colours to text in a terminal',
        'chalk',
        'kleur',
        'picocolors',
        'cli-color',
        'ansi-styles',
        'yoctocolors',
      ],
      ['compare two version numbers', 'semver'],
      ['watch a folder for changes', 'chokidar'],
      ['list all files that match a pattern', 'glob', 'fast-glob', 'globby', 'tinyglobby'],
      ['unpack a tarball', 'tar', 'tar-fs', 'tar-stream'],
      ['read the entries of a zip file', 'yauzl', 'fflate'],
      ['parse command line arguments', 'commander', 'yargs-parser', 'minimist', 'nopt', 'argparse', 'yargs'],
      ['start another program and read its output', 'execa', 'cross-spawn', 'tinyexec', 'foreground-child'],
      ['validate data against a JSON schema', 'ajv'],
      ['read variables from a .env file', 'dotenv', 'dotenv-expand'],
      ['remove the least recently used entry when a cache is full', 'lru-cache'],
      ['run at most some promises at a time', 'p-limit', 'p-map'],
      ['convert text of another encoding', 'iconv-lite'],
      ['generate short unique ids', 'nanoid'],
      ['unique identifiers by time or random numbers', 'uuid', 'ulid', 'nanoid'],
      ['parse HTML as a stream of tags', 'htmlparser2'],
      ['read a table of comma separated values', 'csv-parse'],
      ['find the media type of a file by its name', 'mime', 'mime-types', 'mime-db'],
      ['find out the type of a file by its first bytes', 'file-type'],
      ['milliseconds from words such as two days', 'ms'],
      ['verify a signed token of a user', 'jose'],
      ['fake timers and spies in a test', 'sinon'],
      ['generate random inputs to find a counterexample', 'fast-check'],
      ['know that the process is about to exit', 'signal-exit'],
      ['how wide is a text with emoji in columns', 'string-width'],
    ],
  },
  {
    name: 'http client',
    files: '{,serverless/node_modules/}undici/docs/docs/**/*.md',
    named: /\/docs\/docs\/(?:\w|-)+\/([^/]+)\.md/,
    questions: [
      [
        'answer requests in a test without a server',
        'MockAgent',
        'MockPool',
        'MockClient',
        'mocking-request',
      ],
      [
        'send requests through a corporate proxy',
        'ProxyAgent',
        'proxy',
        'EnvHttpProxyAgent',
        'Socks5ProxyAgent',
      ],
      ['read the proxy from environment variables', 'EnvHttpProxyAgent'],
      ['try a failed request again after a pause', 'RetryAgent', 'RetryHandler'],
      ['how many connections are open', 'PoolStats', 'ClientStats'],
      ['spread requests over several upstreams', 'BalancedPool', 'RoundRobinPool'],
      ['follow a redirect', 'RedirectHandler', 'Dispatcher'],
      ['read and write cookies of a response', 'Cookies'],
      ['open a web socket', 'WebSocket'],
      ['receive events from a server over one connection', 'EventSource'],
      ['authenticate with a certificate of the client', 'client-certificate'],
      ['see what the library does while it runs', 'Debug', 'DiagnosticsChannel'],
      ['publish events of each request to subscribers', 'DiagnosticsChannel'],
      ['errors that a request can be rejected with', 'Errors', 'MockErrors'],
      ['keep responses in a cache on disk', 'CacheStore', 'CacheStorage'],
      [
        'difference to the fetch that is built into node',
        'undici-vs-builtin-fetch',
        'Fetch',
        'GlobalInstallation',
      ],
      ['make it the fetch of the whole process', 'GlobalInstallation'],
      ['which requests were made to the mock', 'MockCallHistory', 'MockCallHistoryLog'],
      ['speak HTTP/2 to a server', 'H2CClient', 'Client'],
      ['record responses and play them back later', 'SnapshotAgent'],
      ['parse a content type header', 'ContentType', 'Util'],
      ['crawl a website politely', 'crawling'],
      ['pass through a SOCKS server', 'Socks5ProxyAgent'],
      ['states of a client from pending to destroyed', 'api-lifecycle'],
      ['choose the address that a socket connects to', 'Connector'],
    ],
  },
];
