/** Credentials of a session, as AWS gives them. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** What a session may do with objects, as `s3://` prefixes; within what the role of jobs may do for the tenant. */
export interface SessionScope {
  readonly tenantId: string;
  /** Shows up in the audit trail. */
  readonly name: string;
  readonly read: readonly string[];
  readonly write: string;
}

/** Who runs a job, and sessions for those who do. */
export interface JobSessions {
  /** Id of the task that runs a job now; undefined while none does. */
  taskOf(jobId: string): Promise<string | undefined>;
  /** Begins a session of fifteen minutes with exactly this scope. */
  begin(scope: SessionScope): Promise<SessionCredentials>;
}
