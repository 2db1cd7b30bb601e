/** Resources of a compiled template, as far as they are touched here. */
export type TemplateResources = Record<
  string,
  { Type: string; DeletionPolicy?: string; UpdateReplacePolicy?: string }
>;

/**
 * Keeps every version of a function when a deploy replaces it: machines of runs in flight name it. Serverless says so for
 * a version that goes, not for one that is replaced.
 */
export function keepVersions(resources: TemplateResources): void {
  for (const resource of Object.values(resources)) {
    if (resource.Type !== 'AWS::Lambda::Version') continue;
    resource.DeletionPolicy = 'Retain';
    resource.UpdateReplacePolicy = 'Retain';
  }
}
