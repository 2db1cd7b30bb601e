import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { ClusterAccess } from './api-server.ts';
import { bodyOf, Connections, type Outgoing } from './http.ts';

/** Tries of one call, the first included. */
const mostTries = 4;

/** Longest first pause between two tries, and longest the server may ask for, in milliseconds. */
const firstPause = 200;
const longestPause = 5_000;

/** Milliseconds an answer may take. */
const answerMs = 10_000;

/** Milliseconds a watch may be silent: the server sends a bookmark about every minute. */
const watchSilenceMs = 120_000;

const passing: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** An answer, its body read. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What happened on the wire, for counting. */
export interface CallRecord {
  readonly method: string;
  readonly path: string;
  /** 0 when nothing answered. */
  readonly status: number;
}

/** What a transport is made of. */
export interface TransportOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly random: Random;
  readonly onCall?: (call: CallRecord) => void;
}

/** A stream that the server refused to open. */
class StreamRefused extends Error {
  override readonly name = 'StreamRefused';
  readonly code: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`the stream was refused with ${status}`);
    this.code = status;
    this.body = body;
  }
}

/** Requests to one API server. */
export interface Transport {
  /**
   * Sends and waits for the answer. Busy and broken answers are asked for again with full jitter, or when the server says:
   * every call made here may be repeated (jobs have names of their own, patches say which version they change).
   */
  send(outgoing: Outgoing): Promise<Answer>;
  /**
   * Opens a stream of JSON lines and calls `onLine` for each; ends when the server closes it or `signal` aborts. Rejects
   * with `StreamRefused`, or with what broke the connection.
   */
  stream(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Milliseconds to wait before try `round + 1`; undefined when the server asks for a longer pause than a call has time for. */
function pauseAfter(round: number, answer: Answer | undefined, random: Random): number | undefined {
  const asked = Number(answer?.headers['retry-after'] ?? 'none');
  if (Number.isFinite(asked)) return asked * 1000 > longestPause ? undefined : asked * 1000 + random() * 100;
  return random() * Math.min(longestPause, firstPause * 2 ** round);
}

/** Splits a stream into lines, whatever pieces it arrives in. */
function lineSplitter(onLine: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line);
  };
}

/** Makes the transport of one process to one API server. */
export function createTransport({ access, clock, random, onCall }: TransportOptions): Transport {
  const connections = new Connections(access);
  const report = (outgoing: Outgoing, status: number) =>
    onCall?.({ method: outgoing.method, path: outgoing.path, status });

  async function once(outgoing: Outgoing): Promise<Answer> {
    try {
      const answer = await connections.open(outgoing, answerMs);
      const body = await bodyOf(answer);
      const status = answer.statusCode ?? 0;
      report(outgoing, status);
      return { status, headers: answer.headers as Record<string, string>, body };
    } catch (error) {
      report(outgoing, 0);
      throw error;
    }
  }

  async function send(outgoing: Outgoing): Promise<Answer> {
    let renewed = false;
    for (let round = 1; ; round += 1) {
      let answer: Answer | undefined;
      let broken: unknown;
      try {
        answer = await once(outgoing);
      } catch (error) {
        broken = error;
      }
      if (answer?.status === 401 && !renewed) {
        renewed = true;
        access.refresh();
        continue;
      }
      if (answer && !passing.has(answer.status)) return answer;
      const pause = round < (outgoing.tries ?? mostTries) ? pauseAfter(round, answer, random) : undefined;
      if (pause === undefined) {
        if (answer) return answer;
        throw broken;
      }
      await new Promise<void>((resolve) => clock.setTimer(pause, resolve));
    }
  }

  async function stream(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    const outgoing = { method: 'GET', path, signal, headers: { accept: 'application/json' } };
    const answer = await connections.open(outgoing, watchSilenceMs);
    report(outgoing, answer.statusCode ?? 0);
    if (answer.statusCode !== 200) {
      if (answer.statusCode === 401) access.refresh();
      throw new StreamRefused(answer.statusCode ?? 0, await bodyOf(answer));
    }
    const push = lineSplitter(onLine);
    answer.setEncoding('utf8');
    for await (const chunk of answer) push(String(chunk));
  }

  return { send, stream, close: () => connections.close() };
}
