/** Environments; Serverless's own `--stage` flag sets one. */
export const environments = ['local', 'dev', 'staging', 'prod'] as const;
