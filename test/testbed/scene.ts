/** Runs scenes inside the real isolation, as this user and, where this user is root, as an ordinary one. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AS_NOBODY, canLowerRights } from '../helpers/ordinary-user.js';

/** Prefix of a command line that runs it as somebody. */
export interface Runner {
  who: string;
  prefix: string[];
}

/** This user, and an ordinary one where this is root and the build can be read by all. */
export function runners(): Runner[] {
  const self = { who: process.getuid?.() === 0 ? 'root' : 'this user', prefix: [] };
  return canLowerRights() ? [self, { who: 'an ordinary user', prefix: AS_NOBODY }] : [self];
}

/** The command line of a scene. */
export function sceneCommand(runner: Runner, name: string, argument: unknown): string[] {
  const script = ['test/testbed/run-scene.mjs', 'test/testbed/scenes.mjs', name, JSON.stringify(argument ?? null)];
  return [...runner.prefix, process.execPath, ...script];
}

/** What the scene returns; a PortPartyError comes as `{ error, where, hint, exitCode }`. */
export async function scene<Result>(name: string, argument?: unknown, runner: Runner = runners()[0]): Promise<Result> {
  const [program, ...argv] = sceneCommand(runner, name, argument);
  const { stdout } = await promisify(execFile)(program, argv);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Result;
}

/** What a scene returns when it failed with a PortPartyError. */
export interface SceneError {
  error: string;
  where?: string;
  hint?: string;
  exitCode: number;
}
