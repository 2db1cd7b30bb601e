import type { Command } from 'commander';
import { findWorkload, firstModelType } from '../../lib/config/training-of.ts';
import type { OptionValue, Workloads } from '../../lib/config/workloads.ts';
import { EpsilonError } from '../../lib/errors/epsilon-error.ts';
import type { Tenant } from '../../lib/tenants/tenant.ts';
import { wholeNumber } from '../whole-number.ts';

/** Options of the command line that say what is trained, and how. */
export interface TrainingWords {
  readonly workload?: string;
  readonly modelType?: string;
  readonly epochs?: string;
  /** `name=value`, each. */
  readonly option?: readonly string[];
}

type TrainingFields = Pick<Tenant, 'workload' | 'modelType' | 'training'>;

/** A value as typed, in the type of the option's default; text where no such option is declared. */
function typedValue(text: string, usual: unknown): OptionValue {
  const declared = typeof usual === 'object' && usual !== null && 'default' in usual ? usual.default : usual;
  if (typeof declared === 'number') return text.trim() === '' ? Number.NaN : Number(text);
  if (typeof declared === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function optionsOf(
  words: readonly string[],
  before: Readonly<Record<string, OptionValue>>,
  declared: Readonly<Record<string, unknown>>,
): Record<string, OptionValue> {
  const options = { ...before };
  for (const word of words) {
    const [, name, text] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
    if (name === undefined || text === undefined)
      throw new EpsilonError('USAGE', `--option ${word} is not of the form name=value.`);
    if (text === '') delete options[name];
    else options[name] = typedValue(text, Object.hasOwn(declared, name) ? declared[name] : undefined);
  }
  return options;
}

/**
 * The fields of a tenant's record that say what is trained, with the words put over them. A tenant that changes its workload has that
 * workload's first model type where it names none. Whether the fields are allowed is judged by whoever writes the record.
 */
export function trainingFields(
  workloads: Workloads,
  words: TrainingWords,
  before: Partial<TrainingFields> = {},
): TrainingFields {
  const workload = words.workload ?? before.workload;
  const { modelTypes } = findWorkload(workloads, workload);
  const kept =
    before.modelType !== undefined && before.modelType in modelTypes ? before.modelType : undefined;
  const modelType = words.modelType ?? kept ?? firstModelType(workloads, workload);
  const { epochs: epochsBefore, options: optionsBefore = {} } = before.training ?? {};
  const epochs =
    words.epochs === undefined
      ? epochsBefore
      : words.epochs === 'none'
        ? undefined
        : wholeNumber('--epochs', words.epochs, 10_000);
  const declared = Object.hasOwn(modelTypes, modelType) ? (modelTypes[modelType]?.options ?? {}) : {};
  const options = optionsOf(words.option ?? [], optionsBefore, declared);
  const training = {
    ...(epochs === undefined ? {} : { epochs }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  };
  return {
    ...(workload === undefined ? {} : { workload }),
    modelType,
    ...(Object.keys(training).length === 0 && before.training === undefined ? {} : { training }),
  };
}

/** Whether any of the words was given. */
export function namesTraining({ workload, modelType, epochs, option }: TrainingWords): boolean {
  return [workload, modelType, epochs, option].some((word) => word !== undefined);
}

/** Options that say what is trained; `tenants add` and `tenants update` have them both. */
export function addTrainingOptions(verb: Command): Command {
  const collect = (word: string, before: readonly string[] = []) => [...before, word];
  return verb
    .option('--workload <name>', 'workload whose jobs train it, one of those in infra/config (reference)')
    .option('--model-type <type>', "model to train (the workload's first)")
    .option('--epochs <n>', 'passes over the data, or "none" (the model type\'s, 10)')
    .option(
      '--option <name=value>',
      'option of the model type; may be repeated, an empty value removes it',
      collect,
    );
}
