/** The newest answer to "may this tenant's data be trained on?". */
export interface QualityVerdict {
  readonly tenantId: string;
  readonly verdict: 'passed' | 'failed';
  readonly reasons: readonly string[];
  readonly checkedAt: string;
}
