import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { freshDir } from '../../fresh-dir.ts';
import { explainedFindings } from '../explained-findings.ts';
import type { Packaged } from '../packaging.ts';
import { neutral } from '../template.ts';

/** One finding on one resource. */
export interface Finding {
  readonly pack: string;
  readonly rule: string;
  readonly resource: string;
}

/** What cdk-nag said of a template. */
export interface NagReport {
  /** Pack to its conclusion; a pack that looked at nothing is not here. */
  readonly conclusions: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
}

interface ReportFile {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly conclusion: string;
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

/** A rule about the bucket that a place works on; where a restored state goes on that is the replica, with the same folders. */
const onOwnBucket = (rule: string, place: string) =>
  place === 'there' ? rule.replaceAll('<bucket>-replica', '<bucket>') : rule;

/** Runs the packs over a compiled template. The exit of `synth` says nothing; the report does. */
export function inspect({ environment, place, templateFile }: Packaged): NagReport {
  const outdir = freshDir();
  const app = new App({ outdir, analyticsReporting: false });
  new CfnInclude(new Stack(app, 'Service'), 'Template', { templateFile });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  const { write } = process.stderr;
  // It prints every finding, explained or not.
  process.stderr.write = () => true;
  try {
    app.synth();
  } catch (error) {
    if (!/validation-report\.json/.test(String(error))) throw error;
  } finally {
    process.stderr.write = write;
  }
  const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8')) as ReportFile;
  return {
    conclusions: new Map(report.pluginReports.map(({ pluginName, conclusion }) => [pluginName, conclusion])),
    findings: report.pluginReports.flatMap(({ pluginName, violations }) =>
      violations.flatMap(({ ruleName, violatingConstructs }) =>
        violatingConstructs.map(({ constructPath }) => ({
          pack: pluginName,
          rule: onOwnBucket(JSON.parse(neutral(ruleName, environment)) as string, place),
          resource: constructPath.split('/').at(-1) ?? '',
        })),
      ),
    ),
  };
}

/** The explanation of a finding, if there is one. */
export function explanationOf({ rule, resource }: Finding) {
  return explainedFindings.find((one) => one.rule === rule && one.on.test(resource));
}
