/** Options that every verb has that measures, and how values of options are read. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { cannotPlaceContainers } from '../run/placement.js';

/** The values of these options. */
export interface MeasureFlags {
  driver: 'auto' | 'netns' | 'docker';
  set?: string[];
  seed?: number;
  out: string;
  json?: boolean;
  quiet?: boolean;
  engine?: 'socket' | 'undici' | 'autocannon';
  pin?: boolean;
}

/** Adds them; `printed` is the file of the record that `--json` prints. */
export function withMeasureOptions(command: Command, printed: string): Command {
  return command
    .addOption(
      new Option('--driver <name>', 'where the hosts live').choices(['auto', 'netns', 'docker']).default('auto'),
    )
    .option('--set <path=value>', 'override one value, e.g. topology.edge.ports=1024-65535 (repeatable)', collect)
    .option('--seed <n>', 'seed of the arrivals', wholeNumber)
    .option('--out <dir>', 'folder for the records', 'results')
    .option('--json', `print ${printed} on stdout, and nothing else`)
    .option('--quiet', 'no progress')
    .addOption(new Option('--engine <name>', 'traffic engine').choices(['socket', 'undici', 'autocannon']))
    .option('--pin', 'keep generator, proxies and servers on cores of their own (netns driver; two cores at least)');
}

/** What these options say to the work itself; throws a usage error (exit 2) where they contradict each other. Daemons take a relative path from their own folder, so `outDir` is absolute. */
export function measureSettings({ out, driver, engine, pin, json, quiet }: MeasureFlags) {
  if (pin && driver === 'docker') throw cannotPlaceContainers();
  return { outDir: resolve(out), engine, pin: pin === true, json: json === true, quiet: quiet === true };
}

/** Of an option that may be repeated: all its values. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

/** A number of things, as typed. */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}
