/**
 * Conditions whose removal changes nothing that anybody could see, with the reason. One that is found all the same, or that no
 * write has any more, fails the run: then it has to be taken off this list.
 */
export const excused: Readonly<Record<string, string>> = {};
