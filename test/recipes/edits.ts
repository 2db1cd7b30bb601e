/** The next content of a file from the one it has; `undefined` when there is no such file. */
export type Edit = (text: string | undefined) => string;

/** A file that is not there yet. */
export function created(content: string): Edit {
  return (text) => {
    if (text !== undefined) throw new Error('The file is there already.');
    return content;
  };
}

/** Text behind each of the anchors, of which each has to be in the file exactly once. */
export function inserted(...parts: readonly { readonly after: string; readonly text: string }[]): Edit {
  return (before) =>
    parts.reduce((text, { after, text: added }) => {
      const pieces = text.split(after);
      if (pieces.length !== 2)
        throw new Error(`${JSON.stringify(after)} is there ${pieces.length - 1} times.`);
      return pieces.join(after + added);
    }, before ?? '');
}

/** Text at the end of a file that is there. */
export function appended(added: string): Edit {
  return (text) => {
    if (text === undefined) throw new Error('There is no such file.');
    return text + added;
  };
}

/** Another text for one that is in the file. */
export function replaced(from: string, to: string): Edit {
  return (text) => {
    if (!text?.includes(from)) throw new Error(`${JSON.stringify(from)} is not there.`);
    return text.replace(from, () => to);
  };
}
