/** Where instances tell whoever asks about themselves, the credentials of their role included; over IPv4 and IPv6. */
const metadata = { iptables: '169.254.169.254', ip6tables: 'fd00:ec2::254' } as const;

/** Port of this host on which the agent of ECS lists every task of the instance. */
const introspectionPort = 51_678;

/**
 * Closes instance metadata, and the agent's list of tasks, to everybody but root; ends with a fault unless Docker gives no process
 * more rights than its parent has, because a job that could become root would not be kept out. Jobs run as user 10001.
 */
const closeMetadata = [
  '#!/bin/sh',
  'set -eu',
  `docker info --format '{{json .SecurityOptions}}' | grep -q no-new-privileges`,
  ...Object.entries(metadata).flatMap(([program, address]) => [
    `${program} -w -I OUTPUT -d ${address} -m owner ! --uid-owner 0 -j REJECT`,
    // Containers with a network of their own; hop limit 1 stops them, too.
    `${program} -w -I FORWARD -d ${address} -j DROP`,
  ]),
  `iptables -w -I OUTPUT -o lo -p tcp --dport ${introspectionPort} -m owner ! --uid-owner 0 -j REJECT`,
  '',
].join('\n');

const unit = 'epsilon-close-metadata';
const program = `/usr/local/sbin/${unit}`;

const write = (path: string, text: string) => `cat > ${path} <<'END'\n${text.trimEnd()}\nEND`;

/**
 * What an instance of Batch does at each boot, before Docker and the agent of ECS. First the agent is made to need what follows, so
 * that an instance on which a step fails takes no job at all.
 */
const boothook = [
  '#cloud-boothook',
  '#!/bin/sh',
  'set -eu',
  'mkdir -p /etc/systemd/system/ecs.service.d /etc/docker /etc/ecs /usr/local/sbin',
  write(
    '/etc/systemd/system/ecs.service.d/epsilon.conf',
    `[Unit]\nRequires=${unit}.service\nAfter=${unit}.service`,
  ),
  write(
    `/etc/systemd/system/${unit}.service`,
    [
      '[Unit]',
      'Description=Closes instance metadata to jobs',
      'Requires=docker.service',
      'After=docker.service',
      '[Service]',
      'Type=oneshot',
      'RemainAfterExit=yes',
      `ExecStart=${program}`,
    ].join('\n'),
  ),
  write(program, closeMetadata),
  `chmod 755 ${program}`,
  // A file of the image's own is left as it is; when it does not say the same, the unit fails.
  `[ -e /etc/docker/daemon.json ] || echo '{"no-new-privileges": true}' > /etc/docker/daemon.json`,
  'touch /etc/ecs/ecs.config',
  'grep -q ECS_DISABLE_PRIVILEGED /etc/ecs/ecs.config || echo ECS_DISABLE_PRIVILEGED=true >> /etc/ecs/ecs.config',
  'systemctl daemon-reload',
  'if systemctl is-active --quiet docker; then systemctl restart docker; fi',
  '',
].join('\n');

/** User data of a Batch instance, base64; Batch adds parts of its own, so it has to be in MIME. */
export const batchUserData = Buffer.from(
  [
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="host"',
    '',
    '--host',
    'Content-Type: text/cloud-boothook; charset="us-ascii"',
    '',
    boothook,
    '--host--',
    '',
  ].join('\n'),
).toString('base64');
