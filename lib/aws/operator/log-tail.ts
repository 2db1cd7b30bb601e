import { type CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { NotFound } from '../../errors/store-errors.ts';
import { errorName, explainServiceError } from '../errors/service-errors.ts';

/** One stream of a log group. */
export interface LogLocation {
  readonly group: string;
  readonly stream: string;
}

/** What a read found. */
export interface TailPiece {
  readonly text: string;
  readonly nextByte: number;
  /** Nothing more is there at present. */
  readonly drained: boolean;
}

interface Cursor {
  readonly byte: number;
  readonly token?: string;
}

/** Pages that may be empty in a row although more follows. */
const mostEmptyPages = 20;

/**
 * A log stream read by byte offsets. The service pages by tokens, so the token that belongs to the last offset is kept:
 * reading on costs one call, reading from elsewhere begins at the head.
 */
export class LogTail {
  readonly #client: CloudWatchLogsClient;
  readonly #location: LogLocation;
  /** Text of one event; empty when it is not wanted. */
  readonly #textOf: (message: string) => string;
  #cursor: Cursor = { byte: 0 };

  constructor(client: CloudWatchLogsClient, location: LogLocation, textOf: (message: string) => string) {
    this.#client = client;
    this.#location = location;
    this.#textOf = textOf;
  }

  async read(fromByte: number): Promise<TailPiece> {
    let cursor: Cursor = this.#cursor.byte <= fromByte ? this.#cursor : { byte: 0 };
    for (let empty = 0; ; ) {
      const page = await this.#page(cursor.token);
      const bytes = Buffer.from(page.text);
      const drained = page.token === cursor.token;
      const after = { byte: cursor.byte + bytes.length, ...(page.token ? { token: page.token } : {}) };
      const wanted = bytes.subarray(Math.min(bytes.length, Math.max(0, fromByte - cursor.byte)));
      cursor = after;
      empty = bytes.length === 0 ? empty + 1 : 0;
      if (wanted.length === 0 && !drained && empty < mostEmptyPages) continue;
      this.#cursor = after;
      return { text: wanted.toString('utf8'), nextByte: Math.max(fromByte, after.byte), drained };
    }
  }

  async #page(token: string | undefined): Promise<{ readonly text: string; readonly token?: string }> {
    const { group, stream } = this.#location;
    try {
      const { events = [], nextForwardToken } = await this.#client.send(
        new GetLogEventsCommand({
          logGroupName: group,
          logStreamName: stream,
          startFromHead: true,
          ...(token === undefined ? {} : { nextToken: token }),
        }),
      );
      const text = events.map(({ message = '' }) => this.#textOf(message)).join('');
      return { text, ...(nextForwardToken === undefined ? {} : { token: nextForwardToken }) };
    } catch (error) {
      if (errorName(error) === 'ResourceNotFoundException')
        throw new NotFound('JOB_NOT_FOUND', `There is no log stream ${stream} in ${group} (any more).`);
      throw explainServiceError(error, 'logs:GetLogEvents', `${group}/${stream}`);
    }
  }
}
