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
}

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
  program('aws', ':');
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
  const release = (of = wanted) => {
    const { status, stderr } = spawnSync(
      join(work, 'infra/release/release.sh'),
      ['production', of, file, 'https://api.example.com'],
      {
        cwd: work,
        encoding: 'utf8',
        env: {
          ...process.env,
          PATH: `${bin}:${process.env['PATH']}`,
          ARGOCD_SERVER: 'argocd.example.com',
          ARGOCD_AUTH_TOKEN: 'token',
          RELEASE_PAUSE: '0.01',
          RELEASE_WAIT: '0',
          RELEASE_WATCH: '0',
          // As on a runner of CI: git knows nobody.
          HOME: folder,
          GIT_CONFIG_NOSYSTEM: '1',
        },
      },
    );
    return { status, stderr };
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
  return { git, release, calls, ref, log, old, wanted, images: file, program };
}

describe('a release', () => {
  it('moves the ref forward to the tree of the commit with the digests, and waits for both applications', () => {
    const { release, calls, ref, git, wanted } = repository();
    expect(release()).toMatchObject({ status: 0 });
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
    expect(calls()).not.toMatch(/--revision|app rollback|token/);
  });

  it('goes back by a commit with the last good tree when a smoke test fails, says so, and ends with 1', () => {
    const { release, ref, log, old, calls, git } = repository({
      curl: 'case "$*" in */ready) exit 22;; esac',
    });
    const { status, stderr } = release();
    expect(status).toBe(1);
    expect(stderr).toContain('https://api.example.com/ready does not answer with success. Going back.');
    expect(log()).toHaveLength(3);
    expect(log()[0]).toMatch(/^Roll back [0-9a-f]{40} in production: https:\/\/api\.example\.com\/ready/);
    expect(ref('origin/release/production^{tree}')).toBe(git('rev-parse', `${old}^{tree}`));
    expect(calls().match(/argocd app sync/g)).toHaveLength(2);
  });

  it('goes back at once when an application was aborted, and says which', () => {
    const { release, log } = repository({ kubectl: 'printf "7|7|true|new|old|Degraded"' });
    const { status, stderr } = release();
    expect(status).toBe(1);
    expect(stderr).toContain(
      'backend-api was aborted: its analysis failed, or it did not start. Going back.',
    );
    expect(stderr).toContain('production is NOT well after going back');
    expect(log()).toHaveLength(3);
  });

  it('goes back when the new colour is not live in time', () => {
    const { release } = repository({ kubectl: 'printf "7|7||new|old|Paused"' });
    const { status, stderr } = release();
    expect(status).toBe(1);
    expect(stderr).toContain('backend-api is not live (phase Paused, new colour new, live old). Going back.');
  });

  it('does not take for the new release what a Rollout says of the one before', () => {
    const { release } = repository({ kubectl: 'printf "8|7||old|old|Healthy"' });
    expect(release().status).toBe(1);
  });

  it('goes back when Argo CD cannot sync, and says that nobody knows how it is', () => {
    const { release, log } = repository({ argocd: 'exit 20' });
    const { status, stderr } = release();
    expect(status).toBe(1);
    expect(stderr).toContain('Argo CD could not sync. Going back.');
    expect(stderr).toContain('production is NOT well after going back');
    expect(log()).toHaveLength(3);
  });

  it('goes back to what was good last, though a release before it died half-way', () => {
    const first = repository();
    expect(first.release().status).toBe(0);
    const good = first.ref('origin/release/production^{tree}');
    // Another one that left its tree on the ref.
    first.git('push', '--quiet', '--force', 'origin', `${first.old}:refs/heads/release/production`);
    first.program('curl', 'exit 22');
    writeFileSync(first.images, images('b'));
    expect(first.release().status).toBe(1);
    expect(first.ref('origin/release/production^{tree}')).toBe(good);
  });

  it('refuses images that are not named by digest, before anything moves', () => {
    const { release, ref, old, images: file, calls } = repository();
    for (const bad of [
      'backend-api repo:latest\n',
      images('a').replace(/^smoke.*\n/m, ''),
      'x; rm -rf /\n',
    ]) {
      writeFileSync(file, bad);
      expect(release().status).toBe(2);
    }
    expect(ref('origin/release/production')).toBe(old);
    expect(calls()).toBe('');
  });

  it('says that the ref could not be moved back when somebody else moved it meanwhile', () => {
    const { release, program, git, old, ref } = repository();
    const other = git('commit-tree', `${old}^{tree}`, '-m', 'other');
    git('push', '--quiet', 'origin', `${other}:refs/heads/other`);
    program('curl', `git push --quiet --force origin ${other}:refs/heads/release/production; exit 22`);
    const { status, stderr } = release();
    expect(status).toBe(1);
    expect(stderr).toContain('release/production could not be moved back: somebody else moved it.');
    expect(ref('origin/release/production')).toBe(other);
  });

  it('refuses a commit that is not there', () => {
    const { release, ref, old } = repository();
    expect(release('0'.repeat(40)).status).not.toBe(0);
    expect(ref('origin/release/production')).toBe(old);
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
      ['backend-api', 'ml-engine', 'smoke'].map(
        (name) => `${name} 1.dkr.ecr.us-west-2.amazonaws.com/epsilon/image@${digest('d')}`,
      ),
    );
    expect(calls).toContain('docker login --username AWS --password-stdin 1.dkr.ecr.us-west-2.amazonaws.com');
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
