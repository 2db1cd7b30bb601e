/** One evaluation as the evaluating process takes it. */
export interface Evaluation {
  readonly source: string;
  /** JSON text of an object: the variables that the expression names. */
  readonly bindings: string;
  /** Milliseconds since the Unix epoch: the time inside the expression. */
  readonly now: number;
  /** What chance is drawn from. */
  readonly seed: string;
}

/** How an evaluation ended. */
export type EvaluationResult =
  | { readonly kind: 'value'; readonly text: string }
  /** The expression gave nothing (undefined). */
  | { readonly kind: 'nothing' }
  /** It gave a function, which no JSON holds. */
  | { readonly kind: 'unsupported' }
  /** It threw; `code` where the error is one of JSONata's. */
  | { readonly kind: 'failed'; readonly code?: string; readonly message: string };
