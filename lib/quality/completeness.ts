import type { Finding } from './finding.ts';
import { type Profile, shareOf } from './profile.ts';
import type { Rules } from './rules.ts';

const percent = (share: number) => `${Number((share * 100).toPrecision(3))} %`;

/** A gate that a share has closed opens at this part of what may be, so that one at its bound does not open and close it by the hour. */
const opens = 0.9;

function share(
  code: string,
  { part, most, what }: { part: number; most: number; what: string },
  profile: Profile,
): Finding[] {
  const found = shareOf(part, profile);
  if (found <= opens * most) return [];
  const sentence = `${part} of ${profile.found} documents (${percent(found)}) ${what}, ${percent(most)} may be`;
  const finding = { check: 'completeness', code, severity: 'critical', sentence } as const;
  return [found > most ? finding : { ...finding, holds: true }];
}

/** What is missing in a tenant's documents, judged by its rules alone. */
export function checkCompleteness(profile: Profile, rules: Rules): Finding[] {
  const few: Finding[] =
    profile.used < rules.minDocuments && !profile.sampled
      ? [
          {
            check: 'completeness',
            code: 'TOO_FEW_DOCUMENTS',
            severity: 'critical',
            sentence: `${profile.used} usable document${profile.used === 1 ? '' : 's'}, at least ${rules.minDocuments} are needed`,
          },
        ]
      : [];
  return [
    ...few,
    ...share(
      'UNREADABLE',
      { part: profile.unreadable, most: rules.maxUnreadable, what: 'cannot be read' },
      profile,
    ),
    ...share('EMPTY', { part: profile.empty, most: rules.maxEmpty, what: 'are empty' }, profile),
    ...share(
      'DUPLICATES',
      { part: profile.duplicates, most: rules.maxDuplicates, what: 'repeat another' },
      profile,
    ),
  ];
}
