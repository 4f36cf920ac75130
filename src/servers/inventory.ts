/** Program of the `ticket-shop` node's one stock: all its workers, on all its hosts, ask here over a unix socket. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { testbedError } from '../errors.js';
import { type InventoryCommand, obey } from './inventory-protocol.js';
import { type LoginOptions, newLogin } from './login.js';
import { program, programOptions } from './program.js';
import { newStock, tally } from './stock.js';

/** The program's one argument, as JSON. */
export interface InventoryOptions {
  tickets: number;
  /** How long a seat stays held, ms. */
  holdTimeMs: number;
  login: LoginOptions;
  /** Path of the unix socket. */
  socket: string;
  /** Path of the file that tells the sale's numbers, kept fresh. */
  ticketsFile: string;
}

/** The file is this old at most, ms, so that a kill loses little. */
const WRITE_EVERY_MS = 200;

await program(async () => {
  const options = programOptions<InventoryOptions>();
  const stock = newStock(options.tickets, options.holdTimeMs);
  const login = newLogin(options.login);
  let written = '';

  function writeTickets(): void {
    const text = JSON.stringify(tally(stock, performance.now()));
    if (text === written) return;
    // Renamed into place: a reader never meets half a file.
    writeFileSync(`${options.ticketsFile}.new`, `${text}\n`);
    renameSync(`${options.ticketsFile}.new`, options.ticketsFile);
    written = text;
  }

  function serve(worker: Socket): void {
    let rest = '';
    worker.setEncoding('utf8');
    worker.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      if (lines.length === 0) return;
      const now = performance.now();
      let replies = '';
      for (const line of lines)
        replies += `${JSON.stringify(obey(stock, login, now, JSON.parse(line) as InventoryCommand))}\n`;
      worker.write(replies);
    });
    // A worker that was killed: its connection is all that is lost.
    worker.on('error', () => worker.destroy());
  }

  // A socket file left by a killed inventory would refuse the address.
  rmSync(options.socket, { force: true });
  const server = createServer(serve);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(testbedError(error.message, options.socket)));
    server.listen(options.socket, resolve);
  });
  writeTickets();
  const writing = setInterval(writeTickets, WRITE_EVERY_MS);
  process.stdout.write(`listening ${options.socket}\n`);
  await new Promise<void>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve());
  });
  clearInterval(writing);
  writeTickets();
  rmSync(options.socket, { force: true });
});
