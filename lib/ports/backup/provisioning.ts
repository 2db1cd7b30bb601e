/** How long the provisioning of an environment took that was measured last. */
export interface MeasuredProvisioning {
  readonly milliseconds: number;
  /** ISO 8601; the day is right, the hour need not be. */
  readonly at: string;
}

/** What infra/provision.sh has measured. */
export interface ProvisioningFigures {
  /** The newest measurement before a moment (milliseconds); nothing where none is kept any more. */
  newest(now: number): Promise<MeasuredProvisioning | undefined>;
}
