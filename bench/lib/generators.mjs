/** Runs a generator on the generator's host to its end, with the CPU that its process took, whoever made it. */
import { spawn } from 'node:child_process';
import { outputOf } from '../../dist/sys/child-output.js';
import { inNamespace } from '../../dist/sys/namespace.js';
import { findCommand } from '../../dist/testbed/find-command.js';
import { CLOSED, KEPT, on, PLACES } from './bed.mjs';
import { endedChildrenCpu, endedChildrenSince } from './cpu.mjs';
import { engineArgv } from './engine.mjs';
import { autocannonArgv } from './tools.mjs';

/** Connections in a closed loop. */
export const TOGETHER = 64;
/** No measurement takes longer, s. */
const LONGEST = 300;

/** Is it here? */
export const has = (name) => name === 'autocannon' || findCommand(name) !== undefined;

/** Runs `argv` from inside the host's namespace, on the generator's processors. Throws when it fails or hangs. */
export async function generate(bed, argv, { netns = bed.generator.netns, place = PLACES.generator } = {}) {
  const [command, ...rest] = on(place, argv);
  const cpuBefore = endedChildrenCpu();
  const acceptedBefore = bed.accepted();
  const began = performance.now();
  const child = inNamespace(netns, () => spawn(command, rest));
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST * 1000);
  const { code, signal, stdout, stderr } = await outputOf(child, '');
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${signal ?? `exit code ${code}`}: ${stderr.trim().slice(-500)}`);
  const seconds = (performance.now() - began) / 1000;
  return { stdout, seconds, cpu: endedChildrenSince(cpuBefore), connections: bed.accepted() - acceptedBefore };
}

/**
 * One of the product's engines. It enters the host's namespace by itself, as in a run.
 * `place`: where its process is, unless on the generator's processors; its sending thread may be elsewhere (`sendOn`).
 */
export async function generateByEngine(bed, job, { place = PLACES.generator } = {}) {
  const argv = engineArgv({ netns: bed.generator.netns, address: bed.address, ...job });
  const done = await generate(bed, argv, { netns: null, place });
  const said = JSON.parse(done.stdout.trim().split('\n').at(-1));
  return { ...done, ...said, requests: said.completed, errors: said.dropped };
}

const number = (pattern, text) => Number(pattern.exec(text)?.[1] ?? 0);
const sum = (pattern, text) => [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);

/**
 * What each tool is told, and what it says: `requests` answered, `errors` of any kind.
 * `closed`: a closed loop of 64 connections for so many seconds, a new connection for each request, for the server closes it after its
 * answer; autocannon, which would write into the closed one first, resets its own after each (`-D 1`). `kept`: connections are kept.
 * `paced`: so many requests per second, a new connection for each; `pacedKept` on connections that are kept.
 */
export const TOOLS = {
  wrk: {
    closed: (host, seconds) => [
      'wrk',
      '-t',
      '1',
      '-c',
      String(TOGETHER),
      '-d',
      `${seconds}s`,
      `http://${host}:${CLOSED}/`,
    ],
    read: (text) => ({
      requests: number(/(\d+) requests in/, text),
      errors:
        sum(/(?:connect|read|write|timeout) (\d+)/g, /Socket errors:.*/.exec(text)?.[0] ?? '') +
        number(/Non-2xx or 3xx responses: (\d+)/, text),
    }),
  },
  hey: {
    closed: (host, seconds) => [
      'hey',
      '-disable-keepalive',
      '-c',
      String(TOGETHER),
      '-z',
      `${seconds}s`,
      `http://${host}:${CLOSED}/`,
    ],
    paced: (host, { rate, seconds, workers }) => [
      'hey',
      '-disable-keepalive',
      '-c',
      String(workers),
      '-q',
      String(rate / workers),
      '-z',
      `${seconds}s`,
      `http://${host}:${CLOSED}/`,
    ],
    read: (text) => ({ requests: number(/\[200\]\s+(\d+) responses/, text), errors: heyErrors(text) }),
  },
  ab: {
    // It speaks HTTP/1.0, which keeps nothing; its time limit (-t) is one of 50,000 requests as well.
    closed: (host, _seconds, count) => [
      'ab',
      '-q',
      '-c',
      String(TOGETHER),
      '-n',
      String(count),
      `http://${host}:${CLOSED}/`,
    ],
    read: (text) => ({
      requests: number(/Complete requests:\s+(\d+)/, text),
      errors: number(/Failed requests:\s+(\d+)/, text),
    }),
  },
  h2load: {
    // It connects again where an HTTP/1.1 answer says `Connection: close`. Its timed mode (-D) does not, so it is given a number.
    closed: (host, _seconds, count) => [
      'h2load',
      '--h1',
      '-t',
      '1',
      '-c',
      String(TOGETHER),
      '-n',
      String(count),
      `http://${host}:${CLOSED}/`,
    ],
    // With a new connection for each request --rps is not kept to (2,700 a second where 1,000 were asked for); --rate is.
    paced: (host, { rate, seconds }) => [
      'h2load',
      '--h1',
      '-t',
      '1',
      '-c',
      String(rate * seconds),
      '-n',
      String(rate * seconds),
      '-r',
      String(rate / 1000),
      '--rate-period=1ms',
      `http://${host}:${CLOSED}/`,
    ],
    pacedKept: (host, { rate, seconds, workers, log }) => [
      'h2load',
      '--h1',
      '-t',
      '1',
      '-c',
      String(workers),
      '-n',
      String(rate * seconds),
      `--rps=${rate / workers}`,
      `--log-file=${log}`,
      `http://${host}:${KEPT}/`,
    ],
    read: (text) => ({
      requests: number(/(\d+) succeeded/, text),
      errors: number(/(\d+) failed/, text) + number(/(\d+) timeout/, text),
    }),
  },
  autocannon: {
    closed: (host, seconds) => [
      ...autocannonArgv(),
      '-j',
      '-c',
      String(TOGETHER),
      '-d',
      String(seconds),
      '-D',
      '1',
      `http://${host}:${KEPT}/`,
    ],
    kept: (host, seconds) => [
      ...autocannonArgv(),
      '-j',
      '-c',
      String(TOGETHER),
      '-d',
      String(seconds),
      `http://${host}:${KEPT}/`,
    ],
    paced: (host, { rate, seconds, workers }) => [
      ...autocannonArgv(),
      '-j',
      '-c',
      String(workers),
      '-d',
      String(seconds),
      '-D',
      '1',
      '-R',
      String(rate),
      `http://${host}:${KEPT}/`,
    ],
    read(text) {
      const { '2xx': requests, non2xx, errors, timeouts } = JSON.parse(text.trim().split('\n').at(-1));
      return { requests, errors: non2xx + errors + timeouts };
    },
  },
};

/** At the end of its time hey cancels what is under way, and counts that as errors: one per worker at most. */
function heyErrors(text) {
  const distribution = text.split('Error distribution:')[1] ?? '';
  const others = number(/\[[^2]\d\d\]\s+(\d+) responses/, text);
  return others + sum(/\[(\d+)\]/g, distribution);
}
