/** Program of the `fixed` node: answers every request with one status and the body `ok`. */
import { eventLoop } from './event-loop.js';
import { type HttpServerOptions, httpServer } from './http-server.js';
import { onChange, program, programOptions, runUntilSignal, tellListening } from './program.js';
import { requestLog } from './request-log.js';

/** The program's one argument, as JSON. */
export interface FixedOptions extends HttpServerOptions {
  status: number;
  /** Path of the request log. */
  log: string;
}

await program(async () => {
  const options = programOptions<FixedOptions>();
  const loop = eventLoop();
  const log = requestLog(options.log);
  const response = { status: options.status, body: 'ok\n' };
  const server = httpServer(loop, options, log, (_request, answer) => answer(response));
  loop.chore(log.chore);
  onChange<Partial<FixedOptions>>(options.control, (changes) => {
    response.status = changes.status ?? response.status;
    if (changes.serviceTimeMs !== undefined) server.setServiceTime(changes.serviceTimeMs);
  });
  tellListening(options.address, server.port);
  await runUntilSignal(loop);
  server.close();
  log.close();
});
