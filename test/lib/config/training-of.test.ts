import { describe, expect, it } from 'vitest';
import { firstModelType, trainingOf } from '../../../lib/config/training-of.ts';
import { workloadsSchema } from '../../../lib/config/workloads.ts';

const workloads = workloadsSchema.parse({
  reference: { modelTypes: { skipgram: { options: { dimensions: { default: 64, min: 2, whole: true } } } } },
  pytorch: {
    model: 'model.pth',
    modelTypes: {
      transformer: { epochs: 3, options: { rate: { default: 0.1, max: 1 }, cased: false, pooling: 'mean' } },
      linear: { options: { solver: { default: 'adam', oneOf: ['adam', 'sgd'] } } },
    },
  },
});

describe('the training of a tenant', () => {
  it('is what its model type declares, ten epochs where nothing is declared, and what the tenant has otherwise', () => {
    expect(trainingOf(workloads, { modelType: 'skipgram' })).toEqual({
      workload: 'reference',
      modelFile: 'model.bin',
      epochs: 10,
      options: { dimensions: 64 },
    });
    const training = { epochs: 5, options: { rate: 0.5, cased: true } };
    expect(trainingOf(workloads, { workload: 'pytorch', modelType: 'transformer', training })).toEqual({
      workload: 'pytorch',
      modelFile: 'model.pth',
      epochs: 5,
      options: { rate: 0.5, cased: true, pooling: 'mean' },
    });
  });

  it('is the first model type of the workload where a tenant names none', () => {
    expect(firstModelType(workloads, 'pytorch')).toBe('transformer');
    expect(firstModelType(workloads)).toBe('skipgram');
  });

  it.each([
    [{ workload: 'pytorh', modelType: 'linear' }, 'WORKLOAD_UNKNOWN', 'Did you mean pytorch?'],
    [{ workload: 'constructor', modelType: 'linear' }, 'WORKLOAD_UNKNOWN', 'known: reference, pytorch'],
    [{ workload: 'pytorch', modelType: 'skipgram' }, 'MODEL_TYPE_UNKNOWN', 'known: transformer, linear'],
    [{ modelType: 'skip-gram' }, 'MODEL_TYPE_UNKNOWN', 'Did you mean skipgram?'],
    [{ modelType: 'toString' }, 'MODEL_TYPE_UNKNOWN', 'known: skipgram'],
    [
      { modelType: 'skipgram', training: { options: { dimension: 8 } } },
      'TRAINING_OPTION_UNKNOWN',
      'Did you mean dimensions?',
    ],
    [
      { modelType: 'skipgram', training: { options: { dimensions: 'x' } } },
      'TRAINING_OPTION_INVALID',
      'number',
    ],
    [
      { modelType: 'skipgram', training: { options: { dimensions: 2.5 } } },
      'TRAINING_OPTION_INVALID',
      'whole',
    ],
    [
      { modelType: 'skipgram', training: { options: { dimensions: 1 } } },
      'TRAINING_OPTION_INVALID',
      'least 2',
    ],
    [
      { workload: 'pytorch', modelType: 'transformer', training: { options: { rate: 1.5 } } },
      'TRAINING_OPTION_INVALID',
      'at most 1',
    ],
    [
      { workload: 'pytorch', modelType: 'linear', training: { options: { solver: 'lbfgs' } } },
      'TRAINING_OPTION_INVALID',
      'adam, sgd',
    ],
  ])('is refused for %j with %s, naming what would be right', (choice, code, said) => {
    expect(() => trainingOf(workloads, choice)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(said) }),
    );
  });
});
