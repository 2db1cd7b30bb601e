import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchUserData } from '../../../infra/pulumi/batch-host.ts';
import { conclude, installPackage, works } from '../debian.ts';

/**
 * `npm run test:conformance:batch-host`: what an instance of Batch does at boot, with the real iptables in a network of its own. Docker and
 * systemctl are played. Needs root: it makes namespaces.
 */
const folder = mkdtempSync(join(tmpdir(), 'epsilon-batch-host-'));
// Jobs of another user read it.
chmodSync(folder, 0o755);

const userData = Buffer.from(batchUserData, 'base64').toString();
const boothook = /us-ascii"\n\n(#cloud-boothook[\s\S]*?)\n--host--/.exec(userData)?.[1] ?? '';

/** The boot script with the paths of a host below a folder. */
function boot(host: string, { fails }: { readonly fails?: string } = {}): number | null {
  const bin = join(host, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\necho "$@" >> ${host}/systemctl\n[ "$1" != is-active ]\n`);
  chmodSync(join(bin, 'systemctl'), 0o755);
  if (fails) {
    writeFileSync(join(bin, fails), '#!/bin/sh\nexit 1\n');
    chmodSync(join(bin, fails), 0o755);
  }
  const script = boothook.replaceAll(/(?<=[\s=])\/(etc|usr)\//g, `${host}/$1/`);
  return spawnSync('sh', [], { input: script, env: { PATH: `${bin}:${process.env['PATH']}` } }).status;
}

/** A network with a metadata service at both addresses, and a list of tasks; then the unit's program, then who is answered. */
const inNetwork = (host: string, security: string) => `
set -e
ip link set lo up
ip addr add 169.254.169.254/32 dev lo
ip -6 addr add fd00:ec2::254/128 dev lo 2>/dev/null || true
printf '#!/bin/sh\\necho %s\\n' '${security}' > ${host}/bin/docker; chmod 755 ${host}/bin/docker
export PATH=${host}/bin:$PATH
node -e '
const http = require("http");
const answer = (_, response) => response.end("secret");
http.createServer(answer).listen(80, "169.254.169.254");
http.createServer(answer).listen(80, "fd00:ec2::254").on("error", () => {});
http.createServer(answer).listen(51678, "127.0.0.1");
http.createServer(answer).listen(51679, "127.0.0.1");' &
server=$!
trap 'kill $server' EXIT
for i in 1 2 3 4 5 6 7 8 9 10; do curl -s -m 1 http://169.254.169.254/ >/dev/null && break; sleep 0.3; done
ask() { curl -s -m 2 "$1" || echo none; echo; }
job() { setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs "$@"; }
echo "before $(job curl -s -m 2 http://169.254.169.254/)"
set +e; sh ${host}/usr/local/sbin/epsilon-close-metadata; echo "unit $?"; set -e
for url in http://169.254.169.254/ "http://[fd00:ec2::254]/" http://127.0.0.1:51678/v1/tasks http://127.0.0.1:51679/; do
  echo "root $url $(ask $url)"
  echo "job $url $(job curl -s -m 2 $url || echo none)"
done
echo "sudo $(job ${host}/asroot -s -m 2 http://169.254.169.254/ || echo none)"
echo "may $(setpriv --reuid=10001 --regid=10001 --clear-groups ${host}/asroot -s -m 2 http://169.254.169.254/ || echo none)"
echo "forward $(iptables -S FORWARD | grep -c 169.254.169.254)"
`;

const missing =
  process.getuid?.() === 0
    ? (installPackage('iptables', () => works('iptables', '--version')) ??
      installPackage('curl', () => works('curl', '--version')))
    : 'it makes namespaces, which only root may';
const faults: string[] = [];
let compared = 0;
const expect = (what: string, holds: boolean) => {
  compared += 1;
  if (!holds) faults.push(what);
};

function answersOf(host: string, security: string): Map<string, string> {
  const ran = spawnSync('unshare', ['-n', 'sh', '-c', inNetwork(host, security)], { encoding: 'utf8' });
  const lines = ran.stdout.split('\n').filter(Boolean);
  return new Map(
    lines.map((line) => {
      const words = line.split(' ');
      return [words.slice(0, -1).join(' '), words.at(-1) ?? ''] as const;
    }),
  );
}

if (missing === undefined) {
  const host = join(folder, 'host');
  expect('the boot script fails', boot(host) === 0);
  expect('a second boot fails', boot(host) === 0);
  const config = readFileSync(join(host, 'etc/ecs/ecs.config'), 'utf8');
  expect(`the agent's settings are ${config}`, config === 'ECS_DISABLE_PRIVILEGED=true\n');
  const docker = JSON.parse(readFileSync(join(host, 'etc/docker/daemon.json'), 'utf8')) as object;
  expect('Docker gives new rights', 'no-new-privileges' in docker);
  const need = readFileSync(join(host, 'etc/systemd/system/ecs.service.d/epsilon.conf'), 'utf8');
  expect('the agent starts without the unit', need.includes('Requires=epsilon-close-metadata.service'));

  // A program that runs as root whoever starts it, as an image may bring one.
  writeFileSync(join(host, 'asroot'), readFileSync(spawnSync('which', ['curl']).stdout.toString().trim()));
  chmodSync(join(host, 'asroot'), 0o4755);
  const answers = answersOf(host, '["name=no-new-privileges"]');
  const is = (key: string, value: string) =>
    expect(`${key} is answered "${answers.get(key)}", not "${value}"`, answers.get(key) === value);
  is('before', 'secret');
  is('unit', '0');
  is('root http://169.254.169.254/', 'secret');
  is('job http://169.254.169.254/', 'none');
  is('job http://[fd00:ec2::254]/', 'none');
  is('root http://127.0.0.1:51678/v1/tasks', 'secret');
  is('job http://127.0.0.1:51678/v1/tasks', 'none');
  // The credentials that ECS gives a task: each job needs its own, by a secret path.
  is('job http://127.0.0.1:51679/', 'secret');
  is('sudo', 'none');
  // What it would be told if Docker gave it the rights of the program's owner.
  is('may', 'secret');
  is('forward', '1');

  expect('a Docker that gives new rights is taken', answersOf(host, '[]').get('unit') !== '0');
  // Whatever step of the boot fails, the agent needs a unit that is not there, or that fails.
  const broken = join(folder, 'broken');
  expect('a boot that fails passes for a good one', boot(broken, { fails: 'chmod' }) !== 0);
  expect(
    'a boot that fails leaves an agent that starts',
    existsSync(join(broken, 'etc/systemd/system/ecs.service.d/epsilon.conf')),
  );
}
rmSync(folder, { recursive: true });
conclude(compared, faults, missing);
