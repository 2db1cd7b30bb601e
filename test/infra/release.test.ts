import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, verify } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freshDir } from '../fresh-dir.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const images = (letter: string) =>
  ['backend-api', 'ml-engine', 'smoke']
    .map((name) => `${name} 1.dkr.ecr.us-west-2.amazonaws.com/epsilon/${name}@${digest(letter)}\n`)
    .join('');

/** What the programs that a release calls do, as shell; without an entry they succeed. */
interface World {
  readonly argocd?: string;
  /** Prints generation|observed|abort|hash|active|phase. */
  readonly kubectl?: string;
  readonly curl?: string;
  readonly aws?: string;
  /** npm and npx. */
  readonly deploy?: string;
}

const gitPath = spawnSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).stdout.trim();
const healthy = 'printf "7|7||new|new|Healthy"';

/** A repository with a remote whose release/production has an older tree, and programs that note how they are called. */
function repository(world: World = {}) {
  const folder = freshDir();
  const [work, bin] = [join(folder, 'work'), join(folder, 'bin')];
  for (const made of [work, bin]) mkdirSync(made);
  const git = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync(
      'git',
      ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args],
      { cwd: work, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  const program = (name: string, body: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >> "${folder}/calls"\n${body}\n`, {
      mode: 0o755,
    });
  program('argocd', world.argocd ?? ':');
  program('kubectl', world.kubectl ?? healthy);
  program('curl', world.curl ?? ':');
  program('aws', world.aws ?? ':');
  for (const one of ['npm', 'npx']) program(one, world.deploy ?? ':');
  program('docker', ':');
  spawnSync('git', ['init', '--quiet', '--bare', join(folder, 'remote')]);
  git('init', '--quiet');
  git('remote', 'add', 'origin', join(folder, 'remote'));
  cpSync('infra/release', join(work, 'infra/release'), { recursive: true });
  cpSync('infra/k8s/serving', join(work, 'infra/k8s/serving'), { recursive: true });
  const commit = (message: string) => {
    git('add', '.');
    git('commit', '--quiet', '-m', message);
    return git('rev-parse', 'HEAD');
  };
  const old = commit('old');
  git('push', '--quiet', 'origin', 'HEAD:refs/heads/release/production');
  writeFileSync(join(work, 'new'), 'new');
  const wanted = commit('new');
  const file = join(folder, 'images');
  writeFileSync(file, images('a'));
  const environment = {
    ...process.env,
    PATH: `${bin}:${process.env['PATH']}`,
    ARGOCD_SERVER: 'argocd.example.com',
    ARGOCD_AUTH_TOKEN: 'token',
    API_URL: 'https://api.example.com',
    RELEASE_PAUSE: '0.01',
    RELEASE_WAIT: '0',
    RELEASE_WATCH: '0',
    // As on a runner of CI: git knows nobody.
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
  };
  const act = (kind: string, more: Readonly<Record<string, string>> = {}) => {
    const { status, stderr } = spawnSync(join(work, 'infra/release/act.sh'), [kind, 'production'], {
      cwd: work,
      encoding: 'utf8',
      env: { ...environment, RELEASE_COMMIT: wanted, RELEASE_IMAGES: file, ...more },
    });
    return { status, last: stderr.trimEnd().split('\n').at(-1) };
  };
  const calls = () => (existsSync(`${folder}/calls`) ? readFileSync(`${folder}/calls`, 'utf8') : '');
  const ref = (what: string) => {
    git('fetch', '--quiet', 'origin', '+refs/heads/*:refs/remotes/origin/*');
    return git('rev-parse', what);
  };
  const log = () => {
    git('fetch', '--quiet', 'origin');
    return git('log', '--format=%s', 'origin/release/production').split('\n');
  };
  return { git, act, calls, ref, log, old, wanted, images: file, program };
}

describe('an act of a release', () => {
  it('moves the ref to the tree of the commit with the digests, is watched and kept, each as often as it is asked for', () => {
    const { act, ref, log, calls, git, wanted } = repository();
    for (const kind of ['move', 'move', 'smoke', 'watch', 'keep', 'keep'])
      expect(act(kind)).toEqual({ status: 0, last: `${kind} of production is done.` });
    // The second move found the tree there.
    expect(log()).toHaveLength(2);
    expect(ref('origin/release/production-good')).toBe(ref('origin/release/production'));
    expect(ref('origin/release/production:new')).toBe(git('rev-parse', `${wanted}:new`));
    const component = git(
      'show',
      'origin/release/production:infra/k8s/serving/production/images/kustomization.yaml',
    );
    expect(parse(component)).toEqual({
      apiVersion: 'kustomize.config.k8s.io/v1alpha1',
      kind: 'Component',
      images: ['backend-api', 'ml-engine', 'smoke'].map((name) => ({
        name,
        newName: `1.dkr.ecr.us-west-2.amazonaws.com/epsilon/${name}`,
        digest: digest('a'),
      })),
    });
    expect(calls()).toContain('argocd app sync embeddings-saas-production --server argocd.example.com');
    for (const part of ['rollout backend-api', 'rollout ml-engine', '/health', '/ready'])
      expect(calls()).toContain(part);
    expect(calls()).not.toMatch(/--revision|app rollback|token|serverless/);
  });

  it('move refuses images that are not named by digest and commits that are not there, before anything moves', () => {
    const { act, ref, old, images: file, calls } = repository();
    for (const bad of [
      'backend-api repo:latest\n',
      images('a').replace(/^smoke.*\n/m, ''),
      'x; rm -rf /\n',
    ]) {
      writeFileSync(file, bad);
      expect(act('move').status).toBe(1);
    }
    writeFileSync(file, images('a'));
    expect(act('move', { RELEASE_COMMIT: '0'.repeat(40) }).status).toBe(1);
    expect(ref('origin/release/production')).toBe(old);
    expect(calls()).toBe('');
  });

  it('back of the first release returns to what was there before it, however often it is asked for', () => {
    const { act, git, old, ref, log, calls } = repository();
    for (const kind of ['move', 'back', 'back']) expect(act(kind).status).toBe(0);
    // A sync that is asked for: the one kind that goes through while a window is closed.
    expect(calls().match(/^argocd .*$/gm)).toEqual(
      // And on the way back without hooks: no schema is changed.
      ['', ' --strategy apply', ' --strategy apply'].map(
        (more) =>
          `argocd app sync embeddings-saas-production --server argocd.example.com --grpc-web --timeout 120${more}`,
      ),
    );
    expect(ref('origin/release/production^{tree}')).toBe(git('rev-parse', `${old}^{tree}`));
    expect(log()).toEqual([expect.stringMatching(/^Roll back/), expect.stringMatching(/^Release/), 'old']);
  });

  it('back after a smoke test that failed is a new commit with the tree of before, which is synced', () => {
    const { act, git, old, ref, log, calls } = repository({
      // The new colour does not answer, the one before does.
      curl: '[ -e "$0.asked" ] || { touch "$0.asked"; exit 22; }',
    });
    expect(act('move').status).toBe(0);
    const { status, last } = act('smoke');
    expect({ status, last }).toEqual({ status: 1, last: expect.stringContaining('/health does not answer') });
    expect(act('back')).toEqual({ status: 0, last: 'back of production is done.' });
    expect(log()[0]).toMatch(/^Roll back/);
    expect(ref('origin/release/production^{tree}')).toBe(git('rev-parse', `${old}^{tree}`));
    expect(calls().match(/^argocd app sync /gm)).toHaveLength(2);
  });

  it('back says that somebody else moved the ref meanwhile, and moves nothing', () => {
    const { act, git, old, program, ref } = repository();
    expect(act('move').status).toBe(0);
    const other = git('commit-tree', `${old}^{tree}`, '-m', 'other');
    git('push', '--quiet', 'origin', `${other}:refs/heads/other`);
    program(
      'git',
      `case "$1" in push) ${gitPath} push --quiet --force origin ${other}:refs/heads/release/production;; esac\nexec ${gitPath} "$@"`,
    );
    const { status, last } = act('back');
    expect({ status, last }).toEqual({
      status: 1,
      last: 'release/production could not be moved: somebody else moved it',
    });
    expect(ref('origin/release/production')).toBe(other);
  });

  it.each([
    ['smoke', { curl: 'exit 22' }, 'https://api.example.com/health does not answer with success'],
    ['watch', { kubectl: 'printf "7|7|true|n|o|Degraded"' }, 'backend-api was aborted'],
    // What a Rollout says of the release before is no answer.
    ['watch', { kubectl: 'printf "8|7||old|old|Healthy"' }, 'backend-api is not healthy'],
    ['move', { kubectl: 'printf "7|7||new|old|Paused"' }, 'new colour new, live old'],
    ['move', { argocd: 'exit 20' }, 'Argo CD could not sync'],
    ['deploy', { deploy: 'exit 1' }, 'could not be deployed'],
  ])('%s that fails says why in its last line, and ends with 1', (kind, world, why) => {
    const { status, last } = repository(world).act(kind);
    expect({ status, last }).toEqual({ status: 1, last: expect.stringContaining(why) });
  });

  it('back returns to the release that was kept before, though another tree is called good', () => {
    const { act, git, old, ref, log, images: file } = repository();
    expect([act('move').status, act('keep').status]).toEqual([0, 0]);
    const replaces = { RELEASE_REPLACES: old, RELEASE_REPLACES_IMAGES: `${file}-old` };
    writeFileSync(`${file}-old`, images('0'));
    expect(act('back', replaces)).toMatchObject({ status: 0 });
    expect(act('back', replaces)).toMatchObject({ status: 0 });
    expect(log()).toHaveLength(3);
    const tree = 'origin/release/production';
    expect(git('show', `${ref(tree)}:infra/k8s/serving/production/images/kustomization.yaml`)).toContain(
      digest('0'),
    );
    expect(git('ls-tree', '--name-only', ref(tree))).not.toContain('new');
  });

  it('restore ends a deploy that moves aliases before it deploys the commit of before', () => {
    const {
      act,
      calls,
      old,
      images: file,
    } = repository({
      aws: 'case "$*" in *describe-stacks*) echo UPDATE_IN_PROGRESS;; esac',
    });
    expect(act('restore', { RELEASE_REPLACES: old, RELEASE_REPLACES_IMAGES: file })).toMatchObject({
      status: 0,
    });
    const order = [
      'cancel-update-stack',
      'wait stack-rollback-complete',
      'npm audit signatures',
      'serverless deploy --stage prod',
    ];
    const at = order.map((what) => calls().indexOf(what));
    expect(at).toEqual(at.toSorted((one, other) => one - other));
    expect(Math.min(...at)).toBeGreaterThan(0);
  });

  it('that nobody knows is refused', () => {
    expect(repository().act('delete')).toEqual({ status: 2, last: 'there is no act "delete"' });
  });
});

describe('building the images of a release', () => {
  const build = (aws: string) => {
    const folder = freshDir();
    const program = (name: string, body: string) =>
      writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> "${folder}/calls"\n${body}\n`, {
        mode: 0o755,
      });
    program('docker', `case "$1" in login) cat > /dev/null;; push) touch "${folder}/pushed";; esac`);
    program('aws', aws.replaceAll('$FOLDER', folder));
    const { status, stdout, stderr } = spawnSync(
      join('infra/release', 'build-images.sh'),
      ['prod', 'us-west-2', 'c0ffee'],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          PATH: `${folder}:${process.env['PATH']}`,
          NODE_IMAGE: `node@${digest('0')}`,
        },
      },
    );
    return { status, stdout, stderr, calls: readFileSync(join(folder, 'calls'), 'utf8') };
  };
  const url = 'case "$*" in *ssm*ecr/*) echo 1.dkr.ecr.us-west-2.amazonaws.com/epsilon/image;;';

  it('prints each by the digest that the registry gives, and pushes no password in an argument', () => {
    const { status, stdout, calls } = build(
      `${url} *describe-images*) [ -e $FOLDER/pushed ] || exit 254; echo ${digest('d')};; *password*) echo secret;; esac`,
    );
    expect(status).toBe(0);
    expect(stdout.split('\n').filter(Boolean)).toEqual(
      [
        ...['backend-api', 'ml-engine', 'smoke', 'job-watcher'],
        ...['stage-data-pipeline', 'stage-ml-engine', 'stage-deployer'],
      ].map((name) => `${name} 1.dkr.ecr.us-west-2.amazonaws.com/epsilon/image@${digest('d')}`),
    );
    expect(calls).toContain('docker login --username AWS --password-stdin 1.dkr.ecr.us-west-2.amazonaws.com');
    expect(calls).toMatch(/docker build --file serving\/Dockerfile .* --tag \S+:serving-backend-api-c0ffee /);
    expect(calls).toContain('imageTag=serving-ml-engine-c0ffee');
    expect(calls).toContain('imageTag=stage-ml-engine-c0ffee');
    expect(calls).not.toContain('secret');
  });

  it('takes what is there already as it is, because tags never move', () => {
    const { status, calls } = build(`${url} *describe-images*) echo ${digest('d')};; esac`);
    expect(status).toBe(0);
    expect(calls).not.toContain('docker build');
  });

  it('ends with 1 when the registry gives no digest', () => {
    const { status, stderr } = build(
      `${url} *describe-images*) [ -e $FOLDER/pushed ] || exit 254; echo None;; esac`,
    );
    expect(status).toBe(1);
    expect(stderr).toContain('backend-api: the registry gave no digest but "None"');
  });
});

describe('the token that moves a ref', () => {
  it('is asked for with a claim that the key of the App signs, and neither is an argument of a process', () => {
    const folder = freshDir();
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(join(folder, 'key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const program = (name: string, body: string) =>
      writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >> "${folder}/calls"\n${body}\n`, {
        mode: 0o755,
      });
    program('aws', `cat "${folder}/key"`);
    program(
      'curl',
      `cat > "${folder}/header"; case "$*" in *access_tokens*) printf '{\\n "token": "ghs_made",\\n "id": 3}';; *) printf '{"id": 42, "account": {"id": 7}}';; esac`,
    );
    const { status, stdout } = spawnSync(join('infra/release', 'app-token.sh'), ['prod', 'us-west-2'], {
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${folder}:${process.env['PATH']}`,
        RELEASE_APP_ID: '99',
        GITHUB_REPOSITORY: 'yourorg/embeddings-saas',
      },
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'ghs_made\n' });
    const calls = readFileSync(join(folder, 'calls'), 'utf8');
    expect(calls).toContain('app/installations/42/access_tokens');
    expect(calls).toContain('{"repositories":["embeddings-saas"],"permissions":{"contents":"write"}}');
    const [, jwt = ''] = /Bearer ([^"]+)"/.exec(readFileSync(join(folder, 'header'), 'utf8')) ?? [];
    const [head = '', claims = '', signature = ''] = jwt.split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ iss: '99' });
    expect(
      verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url')),
    ).toBe(true);
    expect(calls).not.toContain(signature);
  });
});

describe('tokens of a job', () => {
  const job = (script: string, ...args: string[]) => {
    const folder = freshDir();
    writeFileSync(
      join(folder, 'curl'),
      `#!/bin/bash\necho "$*" >> "${folder}/calls"\nwhile [ $# -gt 0 ]; do case $1 in --config) cat "$2" >> "${folder}/read";; subject_token@*) cat "\${1#subject_token@}" >> "${folder}/read";; esac; shift; done\ncase "$(tail -n 1 "${folder}/calls")" in *dex/token*) echo '{"access_token":"argo-made"}';; *) echo '{"value":"github-made"}';; esac\n`,
      { mode: 0o755 },
    );
    const { status, stdout, stderr } = spawnSync(join('infra/release', script), args, {
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: `${folder}:${process.env['PATH']}`,
        HOME: folder,
        ARGOCD_SERVER: 'argocd.example.com',
        ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.example.com/?v=1',
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'asked-with',
      },
    });
    const file = (name: string) =>
      existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '';
    return { status, stdout, stderr, calls: file('calls'), read: file('read'), file };
  };

  it('of Argo CD is the own one of GitHub, exchanged at its Dex, and neither is an argument of a process', () => {
    const { status, stdout, calls, read } = job('argocd-token.sh');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'argo-made\n' });
    expect(calls).toContain('https://token.example.com/?v=1&audience=argo-cd-cli');
    expect(calls).toContain('https://argocd.example.com/api/dex/token');
    expect(calls).toContain('connector_id=github-actions');
    expect(read).toContain('Authorization: bearer asked-with');
    expect(read).toContain('github-made');
    expect(calls).not.toMatch(/asked-with|github-made/);
  });

  it('of the role that answers is a file that its owner alone can read, under a profile of its own', () => {
    const role = 'arn:aws:iam::123456789012:role/epsilon-prod-release-control';
    const { status, file, calls } = job('control-profile.sh', role);
    expect(status).toBe(0);
    expect(file('.aws/config')).toContain(`[profile control]\nrole_arn = ${role}\n`);
    expect(file('.aws/control-token')).toBe('github-made\n');
    expect(calls).not.toMatch(/asked-with|github-made/);
    expect(job('control-profile.sh', 'a role\nrole_arn = other').status).toBe(2);
  });
});
