import { describe, expect, test } from 'vitest';
import { Variables } from '../../../local/declaration/variables.ts';
import { sourcesOf, wholeFolder } from './made-service.ts';

const root = {
  custom: {
    name: 'made',
    nothing: null,
    config: '${file(config/${sls:stage}.yml)}',
    through: '${self:custom.config}',
    loop: '${self:custom.back}',
    back: '${self:custom.loop}',
    outside: '${env:OUTSIDE}',
  },
  params: { default: { size: 256, colour: 'red' }, local: { colour: 'blue' } },
};

const sources = sourcesOf(wholeFolder, {
  variables: { HOST: 'here', EMPTY: '', OUTSIDE: '${file(config/local.yml):region}' },
  options: { region: 'eu-west-1' },
});

const resolve = (text: unknown) => new Variables(root, sources).resolve(text, 'custom.tested');

describe('a variable', () => {
  test.each([
    ['of the service', '${self:custom.name}', 'made'],
    ['of the service, through a file', '${self:custom.config.limits.concurrency}', 4],
    ['of the service, through another', '${self:custom.through.region}', 'us-west-2'],
    [
      'of a file as a whole',
      '${file(config/local.yml)}',
      { region: 'us-west-2', prefix: 'made-local', limits: { concurrency: 4 } },
    ],
    ['of a file', '${file(config/local.yml):limits.concurrency}', 4],
    ['of a file named by another', '${file(config/${sls:stage}.yml):region}', 'us-west-2'],
    ['of the command line', '${opt:stage}', 'local'],
    ['of another option', '${opt:region}', 'eu-west-1'],
    ['of the environment', '${env:HOST}', 'here'],
    ['of the environment, empty', '${env:EMPTY}', ''],
    ['of the parameters of this environment', '${param:colour}', 'blue'],
    ['of the parameters of any environment', '${param:size}', 256],
    ['that only an account knows', '${ssm:/a/b}', 'local:ssm:/a/b'],
    ['of another stack', '${cf:stack.output}', 'local:cf:stack.output'],
    ['within text, more than once', 'a-${sls:stage}-${self:custom.name}', 'a-local-made'],
    ['with quoted fallback', "${opt:none, 'a, b}'}", 'a, b}'],
    ['with a number as fallback', '${opt:none, 5}', 5],
    ['with a boolean as fallback', '${env:NONE, false}', false],
    ['with an address as fallback', '${env:NONE, self:custom.name}', 'made'],
    ['with a variable as fallback', '${env:NONE, ${opt:none, ${self:custom.name}}}', 'made'],
    ['with an object as fallback', '${env:NONE, ${file(config/local.yml):limits}}', { concurrency: 4 }],
    ['whose fallback has no value and is not needed', '${opt:stage, ${env:NONE}}', 'local'],
    ['of a file that is absent, with fallback', "${file(config/none.yml):x, 'y'}", 'y'],
    ['that is null, with fallback', "${self:custom.nothing, 'y'}", 'y'],
    ['beside names of CloudFormation', '${AWS::Region}/${Name}/${sls:stage}', '${AWS::Region}/${Name}/local'],
    [
      'that brings a variable from outside, which stays text',
      '${env:OUTSIDE}',
      '${file(config/local.yml):region}',
    ],
    [
      'that brings one from outside through the service',
      '${self:custom.outside}',
      '${file(config/local.yml):region}',
    ],
  ])('%s', (_, text, expected) => {
    expect(resolve(text)).toEqual(expected);
  });

  test('a variable is found in lists and tables at any depth', () => {
    expect(resolve({ a: [{ b: '${sls:stage}' }, 1, null] })).toEqual({ a: [{ b: 'local' }, 1, null] });
  });
});

describe('a variable that is refused by name and place', () => {
  test.each([
    [
      'a type that is not supported',
      '${s3:bucket/key}',
      '${s3:bucket/key} is a variable that the embedded runtime does not support',
    ],
    [
      'a function of the framework',
      '${strToBool(true)}',
      '${strToBool(true)} is a variable that the embedded runtime does not support',
    ],
    ['no value', '${self:custom.none}', '${self:custom.none} has no value'],
    ['no such file', '${file(config/none.yml)}', 'there is no such file'],
    ['a file that is code', '${file(config/local.js)}', 'neither YAML nor JSON'],
    ['a cycle', '${self:custom.loop}', 'refer to each other in a cycle'],
    ['the service within itself', '${self:}', 'has no value'],
    ['what the prototype has', '${self:custom.constructor}', 'has no value'],
    ['a table within text', 'a-${self:custom.config.limits}', 'cannot be used inside text'],
    ['a brace that is missing', '${self:custom.name', 'not closed'],
  ])('%s', (_, text, message) => {
    const attempt = () => resolve({ deep: [text] });
    expect(attempt).toThrow(expect.objectContaining({ code: 'SERVICE_INVALID' }));
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(/^serverless\.yml, /);
  });
});
