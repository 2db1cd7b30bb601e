import type { Ports } from '../../ports/ports.ts';
import { exportsPrefix, type SettingsExport } from './export-settings.ts';
import { required } from './required.ts';

/** The newest export that is not after a moment, as it arrived in the other region; undefined when there is none. */
export async function readExport(
  { replica }: Pick<Ports, 'replica'>,
  point: string,
): Promise<SettingsExport | undefined> {
  const { bucket, objects } = required(replica);
  const prefix = `s3://${bucket}/${exportsPrefix}`;
  let newest: string | undefined;
  for await (const { uri } of objects.list(prefix)) {
    const at = uri.slice(prefix.length).replace(/\.json$/, '');
    if (at <= point) newest = uri;
  }
  if (newest === undefined) return undefined;
  return JSON.parse(new TextDecoder().decode(await objects.get(newest))) as SettingsExport;
}
