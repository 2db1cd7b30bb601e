import { EpsilonError } from '../errors/epsilon-error.ts';
import { didYouMean } from './did-you-mean.ts';
import {
  type OptionDeclaration,
  type OptionValue,
  referenceWorkload,
  type Workload,
  type Workloads,
} from './workloads.ts';

/** The fields of a tenant that say what is trained, and how. */
export interface TrainingChoice {
  readonly workload?: string | undefined;
  readonly modelType: string;
  readonly training?:
    | {
        readonly epochs?: number | undefined;
        readonly options?: Readonly<Record<string, OptionValue>> | undefined;
      }
    | undefined;
}

/** What is trained, with everything that a tenant leaves open filled in. */
export interface Training {
  readonly workload: string;
  /** Name of the model's file. */
  readonly modelFile: string;
  readonly epochs: number;
  readonly options: Readonly<Record<string, OptionValue>>;
}

function unknown(code: string, what: string, word: string, known: readonly string[]): EpsilonError {
  const hint = didYouMean(word, known);
  const list = known.length === 0 ? 'there is none' : `known: ${known.join(', ')}`;
  return new EpsilonError(code, `${what} (${list}).${hint ? ` Did you mean ${hint}?` : ''}`, {
    details: { word, ...(hint ? { didYouMean: hint } : {}) },
  });
}

/** The workload of this name, the reference workload where none is named. Error: `WORKLOAD_UNKNOWN` with the nearest name. */
export function findWorkload(workloads: Workloads, name = referenceWorkload): Workload {
  const found = Object.hasOwn(workloads, name) ? workloads[name] : undefined;
  if (found) return found;
  throw unknown('WORKLOAD_UNKNOWN', `There is no workload "${name}"`, name, Object.keys(workloads));
}

/** The model type that a tenant has which names none: the first of its workload. */
export function firstModelType(workloads: Workloads, name?: string): string {
  return Object.keys(findWorkload(workloads, name).modelTypes)[0] ?? '';
}

/** What is wrong with the value of an option; undefined when nothing is. */
function optionFault(declared: OptionDeclaration, value: OptionValue): string | undefined {
  const { default: usual, ...bounds } = typeof declared === 'object' ? declared : { default: declared };
  if (typeof value !== typeof usual) return `must be a ${typeof usual}, is ${JSON.stringify(value)}`;
  if ('oneOf' in bounds && bounds.oneOf && !bounds.oneOf.includes(value))
    return `must be one of ${bounds.oneOf.join(', ')}, is ${JSON.stringify(value)}`;
  if (typeof value !== 'number') return undefined;
  const { min, max, whole } = { min: undefined, max: undefined, whole: undefined, ...bounds };
  if (whole && !Number.isInteger(value)) return `must be a whole number, is ${value}`;
  if (min !== undefined && value < min) return `must be at least ${min}, is ${value}`;
  if (max !== undefined && value > max) return `must be at most ${max}, is ${value}`;
  return undefined;
}

const defaultOf = (declared: OptionDeclaration): OptionValue =>
  typeof declared === 'object' ? declared.default : declared;

/**
 * What is trained for a tenant, by what is declared. Errors: `WORKLOAD_UNKNOWN`, `MODEL_TYPE_UNKNOWN`, `TRAINING_OPTION_UNKNOWN`, each
 * with the nearest name; `TRAINING_OPTION_INVALID` with the bounds.
 */
export function trainingOf(workloads: Workloads, choice: TrainingChoice): Training {
  const { workload = referenceWorkload, modelType, training = {} } = choice;
  const { modelTypes, model } = findWorkload(workloads, workload);
  const declared = Object.hasOwn(modelTypes, modelType) ? modelTypes[modelType] : undefined;
  if (!declared)
    throw unknown(
      'MODEL_TYPE_UNKNOWN',
      `Model type "${modelType}" cannot be trained by workload "${workload}"`,
      modelType,
      Object.keys(modelTypes),
    );
  const { options } = declared;
  for (const [name, value] of Object.entries(training.options ?? {})) {
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined)
      throw unknown(
        'TRAINING_OPTION_UNKNOWN',
        `Model type "${modelType}" of workload "${workload}" has no option "${name}"`,
        name,
        Object.keys(options),
      );
    const fault = optionFault(option, value);
    if (fault !== undefined)
      throw new EpsilonError('TRAINING_OPTION_INVALID', `training.options.${name}: ${fault}.`, {
        details: { field: `training.options.${name}` },
      });
  }
  const usual = Object.fromEntries(Object.entries(options).map(([name, one]) => [name, defaultOf(one)]));
  return {
    workload,
    modelFile: model,
    epochs: training.epochs ?? declared.epochs,
    options: { ...usual, ...training.options },
  };
}
