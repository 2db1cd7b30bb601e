/** What colour and shape say of a thing. Colour never says it alone: marks differ in shape, spans carry their label. */
export type Tone = 'neutral' | 'good' | 'warning' | 'critical';

/** A paragraph. */
export interface TextBlock {
  readonly kind: 'text';
  readonly text: string;
}

/** A few names with values, such as a status with its time. */
export interface FactsBlock {
  readonly kind: 'facts';
  readonly facts: readonly { readonly name: string; readonly value: string; readonly tone?: Tone }[];
}

/** Rows under heads; columns of numbers are aligned to the right. */
export interface TableBlock {
  readonly kind: 'table';
  readonly caption?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A value at a time (milliseconds since the Unix epoch); null interrupts the line. */
export interface LinePoint {
  readonly at: number;
  readonly value: number | null;
}

/** Values over time, at most four lines. */
export interface LinesBlock {
  readonly kind: 'lines';
  readonly title: string;
  readonly lines: readonly { readonly name: string; readonly points: readonly LinePoint[] }[];
  /** What was expected: an area between two values at each time; null interrupts it. */
  readonly band?: {
    readonly name: string;
    readonly points: readonly {
      readonly at: number;
      readonly low: number | null;
      readonly high: number | null;
    }[];
  };
  /** Points to be noticed, with what is said about each. */
  readonly marks?: readonly {
    readonly at: number;
    readonly value: number;
    readonly label: string;
    readonly tone: Tone;
  }[];
  /** Bounds across the whole chart. */
  readonly limits?: readonly { readonly name: string; readonly value: number }[];
  /** The axis begins at zero; without it, it fits the values. */
  readonly fromZero?: boolean;
  /** A value as people read it; plain numbers without it. */
  readonly show?: (value: number) => string;
}

/** Bars by category, several series stacked on each other, at most four. */
export interface BarsBlock {
  readonly kind: 'bars';
  readonly title: string;
  readonly series: readonly string[];
  /** One value a series, not negative. */
  readonly bars: readonly { readonly label: string; readonly values: readonly number[] }[];
  readonly limits?: readonly { readonly name: string; readonly value: number }[];
  readonly show?: (value: number) => string;
}

/** What happened when: rows with spans of time. */
export interface TimelineBlock {
  readonly kind: 'timeline';
  readonly title: string;
  /** Milliseconds since the Unix epoch. */
  readonly from: number;
  readonly to: number;
  readonly rows: readonly {
    readonly label: string;
    readonly spans: readonly {
      readonly from: number;
      readonly to: number;
      readonly label: string;
      readonly tone: Tone;
    }[];
  }[];
}

/** A part of a report. */
export type Block = TextBlock | FactsBlock | TableBlock | LinesBlock | BarsBlock | TimelineBlock;

/** Blocks under a heading. */
export interface Section {
  readonly heading: string;
  readonly blocks: readonly Block[];
}

/** A page for people: what comes first, then sections. */
export interface Report {
  readonly title: string;
  /** When it was made, ISO 8601. */
  readonly madeAt: string;
  readonly blocks: readonly Block[];
  readonly sections: readonly Section[];
}
