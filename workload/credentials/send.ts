import type { IncomingMessage } from 'node:http';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Milliseconds without a byte after which a request counts as failed. */
const silence = 10_000;

/** One HTTP request; Node's own `fetch` takes longer to load than the question takes. */
export async function send(
  url: string,
  { method, headers, body }: { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: string },
): Promise<Answer> {
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(url, { method, headers: headers ?? {}, timeout: silence }, resolve);
    asked.on('timeout', () => asked.destroy(new Error(`no answer for ${silence / 1000} seconds`)));
    asked.on('error', reject);
    asked.end(body);
  });
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') };
}
