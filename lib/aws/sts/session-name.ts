/** A name as STS takes it for a session: 2 to 64 of its characters. */
export function sessionNameOf(name: string): string {
  return name
    .replace(/[^\w+=,.@-]/g, '-')
    .slice(0, 64)
    .padEnd(2, '-');
}
