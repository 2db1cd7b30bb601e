/**
 * Object tag that says what an object holds. Every key begins with the tenant, so no prefix selects "all raw data"; and a
 * tenant may be called `training`. Models carry no such tag, hence live and rollback models never become cold.
 */
export const contentTag = 'epsilon-content';

/** What lifecycle rules distinguish. */
export type ObjectContent = 'raw' | 'training';

/** What an object under a key of the data bucket holds; undefined for all that stays as it is. */
export function contentOf(key: string): ObjectContent | undefined {
  const [, folder, , stage, ...rest] = key.split('/');
  if (folder === 'documents') return 'raw';
  return folder === 'runs' && stage === 'prepare' && rest.length > 0 ? 'training' : undefined;
}
