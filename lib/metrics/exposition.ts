/** One figure of a process, as Prometheus is shown it. */
export interface FigureDefinition {
  /** A counter's name ends in `_total`; a summary is of seconds, and its name ends in `_seconds`. */
  readonly kind: 'counter' | 'gauge' | 'summary';
  /** What it counts or measures, in one sentence. */
  readonly help: string;
}

/** Labels of one figure. */
export type FigureLabels = Readonly<Record<string, string>>;

/** Media type of Prometheus's text form. */
export const figuresType = 'text/plain; version=0.0.4; charset=utf-8';

const quoted = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const helpText = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

function labelText(labels: FigureLabels): string {
  const pairs = Object.entries(labels)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}="${quoted(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** Counters, gauges and summaries of this process, in Prometheus's text form. */
export class Figures<N extends string> {
  readonly #definitions: Readonly<Record<N, FigureDefinition>>;
  /** Values by the name that a line begins with and by its labels. */
  readonly #values = new Map<string, Map<string, number>>();

  constructor(definitions: Readonly<Record<N, FigureDefinition>>) {
    this.#definitions = definitions;
  }

  /** Adds to a counter. */
  count(name: N, labels: FigureLabels = {}, by = 1): void {
    this.#add(name, labels, by);
  }

  /** Sets a gauge. */
  set(name: N, value: number, labels: FigureLabels = {}): void {
    this.#series(name).set(labelText(labels), value);
  }

  /** Adds something that took so many seconds to a summary. */
  observe(name: N, seconds: number, labels: FigureLabels = {}): void {
    this.#add(`${name}_sum`, labels, seconds);
    this.#add(`${name}_count`, labels, 1);
  }

  /** A figure's value; 0 when nothing was counted yet. */
  value(name: N, labels: FigureLabels = {}): number {
    return this.#values.get(name)?.get(labelText(labels)) ?? 0;
  }

  /** All figures, with HELP and TYPE also of those that have no value yet. */
  text(): string {
    const lines = Object.entries<FigureDefinition>(this.#definitions)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([name, { kind, help }]) => [
        `# HELP ${name} ${helpText(help)}`,
        `# TYPE ${name} ${kind}`,
        ...(kind === 'summary' ? [`${name}_sum`, `${name}_count`] : [name]).flatMap((line) =>
          this.#lines(line),
        ),
      ]);
    return `${lines.join('\n')}\n`;
  }

  #lines(name: string): string[] {
    return [...(this.#values.get(name) ?? [])].map(([labels, value]) => `${name}${labels} ${value}`);
  }

  #add(name: string, labels: FigureLabels, by: number): void {
    const series = this.#series(name);
    const key = labelText(labels);
    series.set(key, (series.get(key) ?? 0) + by);
  }

  #series(name: string): Map<string, number> {
    const there = this.#values.get(name) ?? new Map<string, number>();
    this.#values.set(name, there);
    return there;
  }
}
