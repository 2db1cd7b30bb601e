import { text } from 'node:stream/consumers';
import { type AskedAboutFiles, answerAboutFiles } from './answer-about-files.ts';

/*
 * A process of its own for one dataset: what is wrong with its files, or with their reader, ends with it. It reads what it is asked on
 * stdin and writes what it found on stdout.
 */
const asked = JSON.parse(await text(process.stdin)) as AskedAboutFiles;
process.stdout.write(JSON.stringify(await answerAboutFiles(asked)));
