import { Help, type HelpConfiguration } from 'commander';

/** A description narrower than this many columns is a tower of words; it goes below its term instead. */
const narrowest = 24;

const help = new Help();

/**
 * Help for any width of terminal: Commander by itself leaves descriptions unfolded where less than 40 columns are left for
 * them, and the terminal then breaks them inside words.
 */
export const narrowHelp: HelpConfiguration = {
  minWidthToWrap: narrowest,
  formatItem(term, termWidth, description, helper) {
    const width = helper.helpWidth ?? 80;
    if (description === '' || width - termWidth - 4 >= narrowest)
      return help.formatItem.call(helper, term, termWidth, description, helper);
    const below = helper.boxWrap(description, width - 6).replaceAll('\n', '\n      ');
    return `  ${term}\n      ${below}`;
  },
};
