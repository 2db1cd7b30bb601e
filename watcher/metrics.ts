/** Labels of one figure. */
export type FigureLabels = Readonly<Record<string, string>>;

const quoted = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** Counters and gauges of this process, in Prometheus' text form. */
export class Figures {
  readonly #values = new Map<string, Map<string, number>>();
  readonly #kinds = new Map<string, 'counter' | 'gauge'>();

  /** Adds to a counter; its name ends in `_total`. */
  count(name: string, labels: FigureLabels = {}, by = 1): void {
    const series = this.#series(name, 'counter');
    const key = labelText(labels);
    series.set(key, (series.get(key) ?? 0) + by);
  }

  /** Sets a gauge. */
  set(name: string, value: number, labels: FigureLabels = {}): void {
    this.#series(name, 'gauge').set(labelText(labels), value);
  }

  /** A figure's value; 0 when nothing was told yet. */
  value(name: string, labels: FigureLabels = {}): number {
    return this.#values.get(name)?.get(labelText(labels)) ?? 0;
  }

  text(): string {
    const lines = [...this.#values].flatMap(([name, series]) => [
      `# TYPE ${name} ${this.#kinds.get(name)}`,
      ...[...series].map(([labels, value]) => `${name}${labels} ${value}`),
    ]);
    return `${lines.join('\n')}\n`;
  }

  #series(name: string, kind: 'counter' | 'gauge'): Map<string, number> {
    const there = this.#values.get(name) ?? new Map<string, number>();
    this.#values.set(name, there);
    this.#kinds.set(name, kind);
    return there;
  }
}

function labelText(labels: FigureLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${quoted(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
