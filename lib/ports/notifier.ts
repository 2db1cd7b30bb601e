/** Notifies people. */
export interface Notifier {
  notify(message: {
    readonly subject: string;
    readonly body: string;
    readonly severity: 'info' | 'warning' | 'critical';
  }): Promise<void>;
}
