/** `portparty watch`: how full this machine's ports, connection table and accept queues are, live, before anything fails. */
import type { Command } from 'commander';
import type { WatchFlags } from '../watch/options.js';

/** Adds the verb. Its exit codes are in docs/exit-codes.md. */
export function register(program: Command): void {
  program
    .command('watch')
    .summary('watch the ports of this machine, and warn before they run out')
    .description(
      'watch this machine, or the network namespace that it is started in: ephemeral ports in use per destination, TIME_WAIT, ' +
        'the connection table, accept queues, the processes behind them, and the time until something is full at this rate',
    )
    .option('--interval <time>', 'between two samples', '1s')
    .option('--once', 'look for one interval, print, and end')
    .option('--fail-at <share>', 'with --once: exit 1 when a pool of ports or the connection table is as full as this')
    .option('--json', 'one JSON object per sample and line')
    .option('--prometheus <[address]:port>', 'serve metrics over HTTP, e.g. :9464')
    .option('--top <n>', 'as many destinations and processes', '10')
    .option('--warn-at <share>', 'warn when as much of a pool is in use', '80%')
    .option('--warn-within <time>', 'warn when it will be full within this time, at this rate', '60s')
    .option('--log <file>', 'write samples and warnings to a file, as JSON lines')
    .option('--log-size <size>', 'set the file aside when it has this size', '10M')
    .option('--log-keep <n>', 'as many old files are kept', '5')
    .option('--cpu <share>', 'CPU that the watch may take on average, of one core', '0.4%')
    .addHelpText(
      'after',
      `
Examples:
  $ portparty watch
  $ portparty watch --once --fail-at 80%                     # for cron
  $ portparty watch --prometheus :9464 --log /var/log/portparty.log
  $ sudo nsenter --net --target PID portparty watch          # of a container

Exit codes: 0 done or stopped by Ctrl-C, 1 as full as --fail-at, 2 mistake in the command, 3 the kernel refuses to be asked
`,
    )
    .action(async (flags: WatchFlags) => {
      process.exitCode = await watch(flags);
    });
}

async function watch(flags: WatchFlags): Promise<number> {
  const { readWatchOptions } = await import('../watch/options.js');
  const options = readWatchOptions(flags);
  const { runWatch } = await import('../watch/run-watch.js');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  return runWatch(options, stop.signal);
}
