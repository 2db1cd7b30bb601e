import { expect, it } from 'vitest';
import type { Packaged } from '../packaging.ts';
import { at, idIn, list, ofType } from '../template.ts';

/** The private API that lends credentials to jobs on Batch. */
export function checkCredentials(packaged: () => Packaged): void {
  const only = (type: string) => {
    const found = ofType(packaged().template, type);
    expect(found, type).toHaveLength(1);
    return found[0]?.[1].Properties ?? {};
  };
  const statement = (effect: string) => {
    const found = list(at(only('AWS::ApiGateway::RestApi'), 'Policy', 'Statement')).filter(
      (one) => at(one, 'Effect') === effect,
    );
    expect(found, effect).toHaveLength(1);
    return found[0] ?? {};
  };

  it('T1: lends through a private API that lets in the role of jobs on Batch alone, for one request', () => {
    const allow = statement('Allow');
    expect(JSON.stringify(at(allow, 'Principal'))).toMatch(
      /^\{"AWS":.*:role\/epsilon-(dev|staging|prod)-job-batch"\}\}$/,
    );
    expect([at(allow, 'Action'), at(allow, 'Resource')]).toEqual([
      'execute-api:Invoke',
      'execute-api:/live/POST/credentials',
    ]);
    const endpoint = { Ref: 'ApiEndpointId' };
    expect(at(only('AWS::ApiGateway::RestApi'), 'EndpointConfiguration')).toEqual({
      Types: ['PRIVATE'],
      VpcEndpointIds: [endpoint],
    });
    expect(at(statement('Deny'), 'Principal')).toBe('*');
    expect(at(statement('Deny'), 'Condition')).toEqual({ StringNotEquals: { 'aws:SourceVpce': endpoint } });
  });

  it('T4: lends to nobody whose signature IAM has not checked, and bounds how many ask', () => {
    expect(at(only('AWS::ApiGateway::Method'), 'AuthorizationType')).toBe('AWS_IAM');
    expect(at(only('AWS::ApiGateway::Stage'), 'MethodSettings')).toEqual([
      { ResourcePath: '/*', HttpMethod: '*', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
    ]);
  });

  it('lets that API alone invoke the function that lends, by that one request', () => {
    const permission = ofType(packaged().template, 'AWS::Lambda::Permission').filter(
      ([, { Properties: p }]) => idIn(p['FunctionName']) === 'LendCredentialsLambdaFunction',
    );
    expect(permission.map(([id]) => id)).toEqual(['CredentialsPermission']);
    const properties = permission[0]?.[1].Properties ?? {};
    expect(properties['Principal']).toBe('apigateway.amazonaws.com');
    expect(JSON.stringify(properties['SourceArn'])).toMatch(/CredentialsApi\}?\/live\/POST\/credentials"\}$/);
  });
}
